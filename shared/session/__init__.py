"""One writer per console: the lock, session tokens, signing keys and relays.

settings      the settings of sessions
dependencies  the ports that the flows of this package need
"""
