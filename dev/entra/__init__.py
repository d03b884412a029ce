"""Microsoft Entra ID, as much of it as the application meets. A stand-in: it asks nobody for a password.

app              the routes, the same ones on https (SDKs) and on plain http (browsers)
metadata         what clients discover: endpoints, signing keys
authorize        the code flow's first half: check the request, show the page, hand out a code
sign_in_page     the page itself, and the pages for errors and goodbyes
token_endpoint   the four grants that buy a token
assertion        the caller's token inside an on-behalf-of request, verified
step_up          a stronger sign-in: asked for, proven, demanded
demands          of whom the tenant demands one
admin            a hook that changes that, for tests
session          who is signed in to this browser (a signed cookie)
grants           codes and refresh tokens that are out
registrations    which clients and resources this tenant knows
parts            what the composed application carries for its handlers
client_info      the account a token belongs to, for MSAL
issuer           what stands in a token
keys             the signing key, kept over restarts
refusals         errors in Entra's shape, with Entra's numbers
listen           loopback sockets, the request log; ARM's stand-in listens the same way
tokens           tokens minted directly, good ones and bad ones, for tests
"""
