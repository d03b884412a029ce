"""The function app: a list of blueprints. What each holds is in its module."""

import azure.durable_functions as df
import azure.functions as func

from functions import (
    approval_orchestration,
    approvals,
    archive_trigger,
    boot_logs,
    commands,
    compatible,
    health,
    lock_entity,
    maintenance,
    policies,
    recordings,
    relays,
    sessions,
    transcript_search,
    transcripts,
    verification,
    vms,
)
from functions.http import openapi

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for module in (
    archive_trigger, lock_entity, approval_orchestration, sessions, commands, approvals, policies, compatible, relays,
    health, vms, transcripts, recordings, verification, transcript_search, boot_logs, maintenance, openapi,
):  # fmt: skip
    app.register_functions(module.bp)
