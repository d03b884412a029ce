"""The flows of transcripts, one use of the product per function.

archive                the archive with its index, statements and holds, in one value
archive_records        records of the Event Hub into segments
find_end               where a transcript ends
find_record_end        the last printed bytes of a console
read_segments          segments line by line
read_transcript        printed bytes, text, recordings and events, by offset or time
read_recorded          puts a read on record before anything is handed out
search_transcript      finds a word
index_transcript       the index of recordings
list_unended           recordings without an end: those that go on, those that are interrupted
show_archive_progress  how far the archive is behind a relay
verify_transcript      holds a transcript to its hashes and to what was signed
verify_part            one part of a verification
hold_transcript        places and lifts a legal hold
apply_retention        drops segments that are due
show_boot_log          the boot log and the screenshot, with the read on record
remove_old_rows        removes rows that are due
"""
