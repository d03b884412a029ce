"""The lock in the task hub."""
