"""The relay's state machine: events in, actions out; and what a serial gateway says.

console           the state machine of one console
events            what the state machine is told
actions           what the state machine wants done
stream            what was printed and typed, on its way
port              the VM's port: its states and its moves
participants      who is attached
event_log         what the state machine tells viewers and the record
viewers           one viewer: limits, countdowns, what was shown
frames            the protocol between browser and relay
scrollback        the last printed bytes, by offset
replay            what a gateway sends again as a port opens, told from what is new
masking           hides what a policy masks
input_recorder    what is recorded of typed input
gateway_exchange  what a gateway and a client say before bytes flow
connect_refusals  what Azure means when it refuses `connect`
ports             a VM's serial port, and where records go
serial            Microsoft.SerialConsole
"""
