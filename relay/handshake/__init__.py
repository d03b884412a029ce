"""From a browser's request to an accepted WebSocket: decide, dial, then accept.

listener              where connections arrive
http_head             reads a request's head, writes a refusal
connect_request       what a client asks for, in whichever protocol
protocol_v1           our own protocol: the token is a subprotocol
protocol_azure        the protocol of Azure's own serial console
admission_checks      the checks that need nobody but the token's keys
accept                every check, until a place at the console or a refusal
viewer_session        a viewer who was let in
unproven_sockets      sockets that were accepted before their token came
azure_viewer          what clients of Azure's own console have in common
azure_viewer_current  a client of today
azure_viewer_older    clients of spring 2024 and before
control_proxy         passes commands of the function app on to the private side
"""
