"""What VMs printed, stored for good.

segment            the bytes of one append blob, an asciicast
archive_plan       records into segments: order, repeats, holes, hash chain
record_end         where a transcript's printed bytes end, out of its last lines
playback           reads the lines of a segment
plain_text         printed bytes as a person reads them: no escape sequences
recording_state    whether a recording without an end goes on or is interrupted
recordings         one opening of a port as a person looks for it: who, when, what happened
search             a word in what was printed, with the lines around it
signed_statements  what is signed about a transcript: checkpoints, what retention dropped, legal holds
verification       segments held to their hash chain
signed_verification  a verification in parts, held to what was signed
verdict            findings, who could explain each, and the report
retention          which segments are dropped
old_rows           which rows of tables go by their age
ports              transcripts, index, statements, holds, reads, old rows
flows              archive, read, search, verify, hold, drop
blobs              transcripts and signed statements in blobs
tables             index, holds, reads and old rows in Table Storage
keys               keys of signed statements
eventhub           the Event Hub that carries records
"""
