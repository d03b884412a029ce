"""The product's own code, shared by the function app and the relay.

    base/        what every other package uses
    access/      who may do what with a console: settings, dependencies
    session/     one writer per console: settings, dependencies
    domain/      pure rules: no I/O, no clock, no randomness, no Azure
    ports        what the flows need of the world, in their own words
    flows/       one use of the product per function, read aloud: find, check, lock, sign
    adapters/    one outside thing per file, no policy in it
    settings     the only reader of the environment
    wiring       the only place where adapters meet flows
    correlation  the id that a request keeps through every hop
    time_limit   how long a request may wait for Azure in all
    verify       a command for auditors: downloaded segments against their hash chain

Dependencies point inward: functions and relay use wiring, wiring uses adapters and flows, both use ports,
ports use domain. import-linter holds it.
"""
