"""Transcripts and signed statements in blobs.

transcripts        segments as append blobs
signed_statements  statements as blobs
"""
