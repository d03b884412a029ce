"""The function app: a list of blueprints. What each holds is in its module."""

import azure.durable_functions as df
import azure.functions as func

from functions import archive, consoles, health, relays, sessions, status, transcripts

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for module in (archive, consoles, sessions, relays, health, status, transcripts):
    app.register_functions(module.bp)
