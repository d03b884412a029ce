"""Pure rules of the serial console.

vm           which VM, and what is known about it
caller       who asks
access       what a caller may do, from the actions Azure grants them
checks       what stands in the way of a console, and what is worth a warning
refusals     every reasoned no: code, status, words, mending command
lock         one writer per console, fenced by a generation
lock_codec   the lock as the JSON that the task hub stores
sharding     which relay owns a console
grant        the claims of a session token
frames       the wire between browser and relay
record       what was printed and what happened, as bytes
console      the relay's state machine: events in (console_events), actions out; its people in console_people
scrollback   the last printed bytes, by offset
viewers      one who is attached: limits, countdowns, what was shown
transcript   records into segments: order, repeats, holes, hash chain
"""
