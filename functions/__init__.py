"""The function app's triggers. Each binds its input, parses it, calls one flow and maps the result.

sessions                open, show and end a console's session
lock_entity             the lock of a console as a durable entity; callers signal it and read its state
vms                     checks of a VM, the list of VMs, the page's configuration, public keys
commands                reset, restart, start, stop, NMI, SysRq
approvals               request an approval, show it, decide it
approval_orchestration  waits for the decision about an approval
policies                show, set and clear the policy of a scope
transcripts             reads what a console printed, and lists who read it
transcript_query        parses the query of a transcript
transcript_search       searches for text in what a console printed
recording_states        the state of recordings: live, ended or interrupted
recordings              the list of recordings, and the legal hold
verification            verifies a transcript, and lists its signed statements
boot_logs               the log and the screenshot that Azure's boot diagnostics stores of a VM
compatible              the same service at the addresses of Azure's own API
relays                  attach, heartbeat, detach
health                  the health of every dependency
archive_trigger         writes records from the Event Hub to the transcripts
maintenance             timers: index, signed checkpoints, retention, removal of old rows
http                    the plumbing: pipeline, routes, requests, responses
"""
