"""The function app's triggers. They only translate: bind, parse, one flow, map the result.

sessions      open, show and end a console's session
consoles      the lock: a durable entity that is signalled and answers in its state
status        every check of a VM, the list of VMs, what the page needs, public keys
transcripts   what a console printed, and who has read it (reading: what a query asks for)
searching     words in what a console printed
boot_logs     what Azure's boot diagnostics keeps of a VM: the log and the screenshot
recordings    who was there, when, what happened; legal hold
proofs        whether a transcript is complete, what was signed about it
acts          reset, restart, start, stop, NMI, SysRq
approvals     ask for approval, see it, decide; `approving` waits for the decision
policies      show, set and clear the policy of a scope
compatible    the same service at the addresses of Azure's own API
relays        attach, heartbeat, detach; how a record ends
health        every dependency by name
archive       records from the Event Hub into the transcripts
upkeep        the index, signed checkpoints, retention; rows whose time is over
openapi       all of this, for tools

addresses     triggers at a VM's address and at a scale-set instance's
answering     who asks, what came of it, one audit line
requests      strict reading of addresses and bodies
responses     results and refusals as HTTP
contents      answers that are bytes: a transcript, a boot log, a picture
paging        lists in pages
waiting       how many requests may wait for something new at a time
progress      the archive's progress as JSON and as headers
standings     whether recordings without an end go on, as JSON and as a header
describing    what each operation is, said beside its trigger; `shapes` has the schemas
origin        which network a request comes from
cross_origin  which pages may call
"""
