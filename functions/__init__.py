"""The function app's triggers. They only translate: bind, parse, one flow, map the result.

sessions    open, show and end a console's session
consoles    the lock: a durable entity, and the orchestration through which it answers
status      every check of a VM, the list of VMs, what the page needs, public keys; addresses that lead nowhere
relays      attach, heartbeat, detach
health      every dependency by name
archive     records from the Event Hub into the transcripts

addresses   triggers at a VM's address and at a scale-set instance's
answering   who asks, what came of it, one audit line
requests    strict reading of addresses and bodies
responses   results and refusals as HTTP
"""
