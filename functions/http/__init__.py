"""The plumbing of HTTP triggers.

pipeline          from a request to an answer: who, what, outcome, one log line
routes            triggers at a VM's address and at a scale-set instance's
requests          reads addresses and bodies strictly
responses         results and refusals as HTTP
binary_responses  answers that are bytes
paging            lists in pages
archive_progress  the archive's progress as JSON and as headers
waiting           how many requests may wait for something new at a time
operations        what each operation is, said beside its trigger
schemas           what the API takes and answers, as JSON Schema
openapi           the whole API, for tools
client_address    which network a request comes from
cross_origin      which pages may call
"""
