"""The plumbing of HTTP triggers.

pipeline          turns a request into an answer, and writes one audit event
routes            registers triggers at the addresses of VMs and scale-set instances
requests          parses addresses, queries and bodies strictly
responses         turns results and refusals into HTTP responses
binary_responses  triggers whose answer is bytes instead of JSON
paging            divides lists into pages
archive_progress  the archive's progress as JSON and as headers
waiting           limits how many requests wait for new output at a time
operations        the description of each operation, written beside its trigger
schemas           the JSON Schemas of requests and answers
openapi           the OpenAPI document of the whole API
client_address    the client's address of a request
cross_origin      which origins' pages may call the API (CORS)
"""
