"""Runs one console: carries out what `shared.console` decides.

runner             reports events to the state machine, carries its actions out
viewer             a browser's accepted WebSocket
serial_connection  dials the VM's port, listens to it, types into it
output_coalescer   one dial of the port: waits for what a gateway sends at the opening
recording_filter   masks printed bytes and follows typed input, as policies want it
epoch_writer       what one console is recorded on
pending_writes     retries what could not be recorded
pending_replies    who waits for an answer of the state machine
callbacks          what the runner needs of browsers and of the relay
"""
