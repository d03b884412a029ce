"""The smoke test: does a deployment do what it is for, from the sign-in to the last byte of the transcript?

    __main__   the command: arguments, progress, the table
    steps      what is tried, in order, and what each step needs of those before
    visit      what the steps share: the API, the session, the socket, what was shown
    service    the API and the console's WebSocket as a client meets them
    sign_in    an access token, of whoever runs this
    outcome    rows and the exit status; no I/O

It is a client like any other: it knows the documented API (docs/protocol.md) and nothing of the code behind it.
"""
