"""Sessions, used tokens, leases and notices in Table Storage.

sessions     sessions that were opened
used_tokens  the ids of tokens that were used
leases       signs of life of relays
notices      what relays are to hear with their next heartbeat
"""
