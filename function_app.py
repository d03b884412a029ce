"""The function app: a list of blueprints. What each holds is in its module."""

import azure.durable_functions as df
import azure.functions as func

from functions import (
    acts,
    approvals,
    approving,
    archive,
    boot_logs,
    compatible,
    consoles,
    health,
    openapi,
    policies,
    proofs,
    recordings,
    relays,
    searching,
    sessions,
    status,
    transcripts,
    upkeep,
)

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for module in (
    archive, consoles, approving, sessions, acts, approvals, policies, compatible, relays, health, status, transcripts,
    recordings, proofs, searching, boot_logs, upkeep, openapi,
):  # fmt: skip
    app.register_functions(module.bp)
