"""The local Azure: real protocols on loopback, so that the application runs here unchanged. Never shipped.

fleet            who and what there is: the demo people, their roles, the VMs
stack            where everything listens, and the environment each part is started with
up               the supervisor behind `make up`
front_door       the page and, beside it under /api, the function app (a Static Web App does this in Azure)
functions_host   the Functions host, around Microsoft's own worker library
event_hubs       AMQP 1.0 for the real Event Hubs SDK (Node)
entra            sign-in, tokens, keys, on-behalf-of
arm              Compute, Authorization, Storage and SerialConsole providers
vault            Key Vault's keys: rotate, sign
gateway          the serial gateway: COM1 of every machine over WebSockets
machines         the machines themselves: QEMU, or a pty machine where QEMU cannot be had
"""
