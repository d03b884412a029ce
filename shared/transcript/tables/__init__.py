"""Index, holds, reads and old rows in Table Storage.

index     the index of recordings
holds     legal holds
reads     who read what
old_rows  rows that are removed by their age
"""
