"""Pure rules of the serial console.

vm                which VM, and what is known about it
caller            who asks
access            what Azure lets a caller do: roles, conditions, deny assignments
compatibility     which clients of Azure's own console are served
rights            what may be done with a console, and the Azure actions each demands
policy            what owners demand: switches, reasons, networks, tags, sign-in, approval (policy_codec: its JSON)
approval          somebody else says yes first (approval_codec: as JSON)
pace              how often somebody may ask
storage           the account in which a VM's boot diagnostics are kept
checks            what stands in the way of a console
cautions          what is worth a warning only
refusals          every reasoned no (refusal_table: code, status, words, mending command)
lock              one writer per console, fenced by a generation (lock_codec: its JSON)
lock_requests     each request changes a lock once, however often it comes
lock_entity       what an operation makes of the state that the task hub keeps
sharding          which relay owns a console
acts              reset, restart, start, stop, NMI, SysRq
grant             the claims of a session token
frames            the wire between browser and relay
record            what was printed and what happened, as bytes
console           the relay's state machine: events in (console_events), actions out (console_actions); the VM's port in
                  console_port, its people in console_people, what goes on to whom in console_stream,
                  what it tells in console_voice
gateway_exchange  what a gateway and a client say before bytes flow
connect_refusals  what Azure means when it refuses `connect`
scrollback        the last printed bytes, by offset
replay            what a gateway sends again as a port opens, told from what is new
record_end        how a record ends in the archive, whoever recorded it
viewers           one who is attached: limits, countdowns, what was shown
keeping           what the record keeps of a console's bytes: masking (mask_pattern) of what is printed, typing_record
archive_progress  how far the archive is behind the relay
transcript        records into segments: order, repeats, holes, hash chain
segment           the bytes of one append blob, an asciicast; playback reads them back
plain_text        printed bytes as a person reads them: no escape sequences
search            a word in what was printed, with the lines around it
verify            segments held to their hash chain and to what was signed: complete, or what is wrong and where
verify_signed     the same in parts: what was signed beside a walk that others go on with
verdict           findings, and who could explain each
key_versions      which version of a key signs, and which are public
ledger            what is signed about a transcript: checkpoints, what retention dropped, legal holds
recordings        one opening of a port as a person looks for it: who, when, what happened
recording_state   whether one without an end goes on, or its relay is gone
ring              which segments retention drops
old_rows          which rows of tables go by their age
"""
