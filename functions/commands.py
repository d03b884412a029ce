"""Commands on a VM: reset, restart, start, stop, NMI and SysRq."""

import re

import azure.durable_functions as df
import azure.functions as func

from functions.http.operations import AT_THE_LINE, Description
from functions.http.pipeline import RequestContext, Result, Work
from functions.http.requests import Fields, InvalidRequest, body_of
from functions.http.routes import at_console
from functions.http.schemas import ref
from shared.access.commands import Command
from shared.base.refusals import Refusal
from shared.session.flows.run_command import run_command

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
_KEYS = re.compile(r"[A-Za-z0-9]{1,16}", re.ASCII)


def _doing(command: Command) -> Work:
    async def work(context: RequestContext) -> Result | Refusal:
        vm, fields = context.console(), body_of(context.req)
        reason, keys = fields.text_or_none("reason"), _keys(fields) if command is Command.SYSRQ else ""
        fields.done()
        context.audit_fields |= {"act": command.value, "right": command.right.value}
        refusal = await run_command(context.dependencies, context.caller, vm, command, keys=keys, reason=reason)
        return refusal or Result({"act": command.value, "by": {"name": context.caller.name}}, 202)

    return work


def _keys(fields: Fields) -> str:
    """Reads the SysRq keys of the body: 1 to 16 letters and digits. Raises InvalidRequest."""
    keys = fields.text("keys")
    if not _KEYS.fullmatch(keys):
        raise InvalidRequest.because("keys must be 1 to 16 letters and digits")
    return keys


_SUMMARIES = {
    Command.RESET: "Resets the VM, as its reset button would",
    Command.RESTART: "Restarts the VM through Azure",
    Command.START: "Starts the VM",
    Command.STOP: "Stops the VM",
    Command.NMI: "Sends a non-maskable interrupt to the guest",
    Command.SYSRQ: "Sends SysRq keys to the guest",
}

for each in Command:
    schema = "SysRqWish" if each is Command.SYSRQ else "ActWish"
    description = Description(
        f"{_SUMMARIES[each]}; it is begun when this answers", {202: ref("Act")}, AT_THE_LINE, body=schema
    )
    at_console(bp, f"{each.value}_vm", "POST", _doing(each), f"/{each.value}", description=description)
