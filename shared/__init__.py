"""The product's own code, shared by the function app and the relay.

base        what every other package uses: VM ids, callers, refusals, records, settings, tables, HTTP
access      who may do what with a VM's console
session     one writer per console: the lock, session tokens, relays
console     the relay's state machine, and Azure's serial gateway
transcript  what was printed, stored for good: segments, signatures, retention, search
settings    every setting of the function app and of the relay
wiring      the only place where adapters meet flows
verify      a command for auditors: downloaded segments against their hash chain

A package sees those above it in this list alone; console and transcript do not see each other. Inside a package the
rules stand at its root. They see no adapter, no clock and no network. `ports` says what the rules and flows need.
`flows` has one use of the product per function. Every other folder holds the adapters to one outside thing and is
named after it. import-linter holds both orders.
"""
