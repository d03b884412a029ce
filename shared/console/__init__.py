"""The relay's state machine, events in and actions out, and the protocols of a serial gateway.

console           the state machine of one console
events            the events that the state machine takes
actions           the actions that it returns
stream            who is sent output, and when the VM is paused
port              the VM's port: its states and its moves
participants      the writer, the watchers, and sessions that wait for the port
event_log         events for viewers and for the record
viewers           one viewer: limits, countdowns, what was shown
frames            the protocol between browser and relay
scrollback        the last printed bytes, by offset
replay            tells bytes that a gateway sends again from new ones
masking           masks secrets in output, as policies want it
input_recorder    records typed input, as policies want it
gateway_exchange  the messages between gateway and client before bytes flow
connect_refusals  turns Azure's refusal of `connect` into one of ours
ports             a VM's serial port, and the sink of records
serial            Microsoft.SerialConsole
"""
