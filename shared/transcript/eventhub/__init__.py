"""The Event Hub that carries records."""
