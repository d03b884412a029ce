"""The spool: every record on the disk, from before anybody sees it until the hub has it.

epochs      consoles' view of spool and outbox
spool       the folder of the spool
epoch_log   one epoch: written here, read by the outbox, deleted once acknowledged
spool_file  one file: frames that are whole or not there
spool_sync  flushes files to the disk in groups
outbox      sends what is spooled, forgets what was acknowledged
backlog     says that records wait for long
tails       what was recorded last of each console
"""
