"""Approvals in the task hub."""
