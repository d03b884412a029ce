"""The function app and the relay, as each calls the other.

relay_control     the function app calls relays
control_plane     a relay calls the function app
heartbeat_shares  heartbeats of a relay with very many sessions, in shares
probes            asks dependencies for a sign of life
"""
