"""A fault campaign on the whole local stack: `make chaos` or `python -m dev.chaos --help`; see docs/faults.md.

campaign        rounds: a fault, a pause; then everything is well again, and the transcripts are held to the witness
faults          what is done to whom
arm_faults      what is done to Azure Resource Manager
processes       processes below a part
campaign_state  the running stack as the faults see it: parts to kill and to freeze, wires to cut, faults to order
port            the gateway with generators for machines: every byte witnessed, and what was handed to which connection
generator       a machine that prints all the time, as fast as it is told and as the line takes it
viewer          somebody who watches, and comes back whenever the connection ends
service         the API as this campaign's caller knows it
check           transcripts against the witness, byte for byte
"""
