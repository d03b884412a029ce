"""What every other package uses.

vm                a VM's id, and what is known about the VM
caller            a caller: a person or an application
refusals          refusals as values
refusal_table     every refusal: code, status, words, mending command
record            what a VM printed and what happened, as bytes
record_end        the last printed bytes of a console
archive_progress  how far the archive is behind the relay
ports             the clock, ids, and the error of a dependency that does not answer
settings          reads settings from the environment
correlation       the id that a request keeps through every hop
time_limit        how long a request may wait for Azure in all
system_clock      the clock and the random ids of the machine
ttl_cache         answers that are reused for some seconds
http_json         a client for JSON over HTTP
azure_troubles    what Azure means when it does not answer
storage_troubles  how tables and blobs fail
in_time           bounds a question by what the request's time limit has left
signing_keys      public keys of an issuer, fetched and cached
tables            Azure Table Storage
task_hub          the Durable Task hub
clouds            addresses that differ between Azure's clouds
"""
