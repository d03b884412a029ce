"""The local Azure: real protocols on loopback, so that the application runs here unchanged. Never shipped.

demo            who and what there is: the demo people, their roles, the VMs
stack           where everything listens, and the environment each part is started with
parts           how each part is started, and how one knows that it is up
up              the supervisor behind `make up` (supervisor); steps is what the terminal shows
token           TOKEN and VM for a shell
prepare         installs what is not there yet; bootstrap is before it, and brings Python and the packages
older_durable   the fallback on azure-functions-durable 1.x: its packages, for tests
tls             an authority and a certificate of its own
smoke           `make smoke`: the smoke test against the running stack
chaos           `make chaos`: faults at random moments, and every byte accounted for
front_door      the page and, beside it under /api, the function app (a Static Web App does this in Azure)
functions_host  the Functions host, around Microsoft's own worker library
event_hubs      AMQP 1.0 for the real Event Hubs SDK (Node)
storage         what Azure Storage refuses and Azurite does not: a proxy before Azurite
azurite         Microsoft's Azurite, pinned (Node)
microsoft       Microsoft's own host and emulators instead of ours; emulators says how they run as containers
entra           sign-in, tokens, keys, on-behalf-of
arm             Compute, Authorization, Storage and SerialConsole providers
vault           Key Vault's keys: rotate, sign
gateway         the serial gateway: COM1 of every machine over WebSockets
machines        the machines themselves: QEMU, or a pty machine where QEMU cannot be had
"""
