"""How long a test waits for what has to come. A busy machine may take minutes; a fault hangs for ever."""

PATIENCE = 240.0
"""Seconds. Only a test that would hang reaches it: waits end when their condition holds."""
