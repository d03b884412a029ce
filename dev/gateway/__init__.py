"""The serial gateway: owns every machine, drains its COM1 whoever watches, and speaks Microsoft.SerialConsole's wire.

service          one gateway: its consoles, their boots, its two listeners
console          one machine's COM1: witnessed, then kept for the client that is, or will be, connected
behaviour        what one VM's port does where the real one is seen to differ, and where that is known from
client           a connected WebSocket client: what it is sent, what it types, how it is let go
handshake        what a client must do before bytes flow, and what it is refused with
wire             the public side (wss and admin commands), as the real gateway's clients know it
control          the private side (plain http): power for the ARM stand-in, faults for tests
tokens           whether a bearer token is Entra's, and meant for ARM
witness          the exact record of what a machine printed, made before anything is forwarded

What is published of the real gateway, and what is only believed, stands in docs/fidelity.md.
"""
