"""The function app's triggers. They only translate: bind, parse, one flow, map the result.

sessions                open, show and end a console's session
lock_entity             the lock: a durable entity that is signalled and answers in its state
vms                     every check of a VM, the list of VMs, what the page needs, public keys
commands                reset, restart, start, stop, NMI, SysRq
approvals               ask for approval, see it, decide
approval_orchestration  waits for the decision
policies                show, set and clear the policy of a scope
transcripts             what a console printed, and who has read it
transcript_query        what a query asks of a transcript
transcript_search       words in what a console printed
recording_states        which recordings go on, and which are interrupted
recordings              who was there, when, what happened; legal hold
verification            whether a transcript is complete, what was signed about it
boot_logs               what Azure's boot diagnostics stores of a VM: the log and the screenshot
compatible              the same service at the addresses of Azure's own API
relays                  attach, heartbeat, detach
health                  every dependency by name
archive_trigger         records from the Event Hub into the transcripts
maintenance             the index, signed checkpoints, retention; rows whose time is over
http                    the plumbing: pipeline, routes, requests, responses
"""
