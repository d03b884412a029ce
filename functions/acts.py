"""Reset, restart, start, stop, NMI and SysRq."""

import re

import azure.durable_functions as df
import azure.functions as func

from functions.addresses import at_console
from functions.answering import Asked, Result, Work
from functions.describing import AT_THE_LINE, About
from functions.requests import BadRequest, Fields, body_of
from functions.shapes import ref
from shared.domain.acts import Act
from shared.domain.refusals import Refusal
from shared.flows.act_on_vm import act_on_vm

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
_KEYS = re.compile(r"[A-Za-z0-9]{1,16}", re.ASCII)


def _doing(act: Act) -> Work:
    async def work(asked: Asked) -> Result | Refusal:
        vm, fields = asked.console(), body_of(asked.req)
        reason, keys = fields.text_or_none("reason"), _keys(fields) if act is Act.SYSRQ else ""
        fields.done()
        asked.said |= {"act": act.value, "right": act.right.value}
        refusal = await act_on_vm(asked.world, asked.caller, vm, act, keys=keys, reason=reason)
        return refusal or Result({"act": act.value, "by": {"name": asked.caller.name}}, 202)

    return work


def _keys(fields: Fields) -> str:
    """Raises BadRequest."""
    keys = fields.text("keys")
    if not _KEYS.fullmatch(keys):
        raise BadRequest.because("keys must be 1 to 16 letters and digits")
    return keys


_SAID = {
    Act.RESET: "Resets the VM, as its reset button would",
    Act.RESTART: "Restarts the VM through Azure",
    Act.START: "Starts the VM",
    Act.STOP: "Stops the VM",
    Act.NMI: "Sends a non-maskable interrupt to the guest",
    Act.SYSRQ: "Sends SysRq keys to the guest",
}

for each in Act:
    wish = "SysRqWish" if each is Act.SYSRQ else "ActWish"
    about = About(f"{_SAID[each]}; it is begun when this answers", {202: ref("Act")}, AT_THE_LINE, body=wish)
    at_console(bp, f"{each.value}_vm", "POST", _doing(each), f"/{each.value}", about=about)
