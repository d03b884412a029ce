"""The smoke test of a deployment, from the sign-in to the last byte of the transcript.

    __main__   the command: arguments, progress, the table
    steps      the steps, in order, and which earlier steps each one needs
    context    state that the steps share: the API, the session, the socket, the bytes shown
    service    a client of the API and of the console's WebSocket
    sign_in    an access token for the person or application that runs the test
    outcome    results of steps and the exit status; no I/O

It is an ordinary client: it uses the documented API (docs/protocol.md) and imports no code of the service.
"""
