"""The relay: carries bytes between browsers and the serial ports of VMs, and records them.

server        one relay: its consoles, who is attached to them, and the clock that drives both
handshake     from a browser's request to an accepted WebSocket
console       runs one console: the port, its viewers, its record
recording     the spool, and the outbox to the Event Hub
control       commands of the function app, health, metrics, heartbeats
dependencies  what the relay needs of the world
wiring        the only place where adapters meet the relay
standby       waits while the relay before this one still drains
log           one JSON line per event
Dockerfile    the image
"""
