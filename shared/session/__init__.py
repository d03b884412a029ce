"""One writer per console: the lock, session tokens, signing keys and relays.

lock           one writer per console, fenced by a generation
lock_codec     the lock as JSON
lock_requests  each request changes a lock once, however often it comes
lock_entity    what an operation makes of the state that the task hub keeps
grant          the claims of a session token
key_versions   which version of a key signs, and which are public
sharding       which relay owns a console
ports          the lock, tokens, sessions, relays, leases; the control plane as a relay sees it
settings       the settings of sessions
dependencies   the ports that the flows of the control plane need
flows          open, attach, renew and close a session; commands; policies of live sessions
durable        the lock in the task hub
tables         sessions, used tokens, leases and notices in Table Storage
keys           keys that sign: a vault, PEM
http           relays and the control plane, as each calls the other
"""
