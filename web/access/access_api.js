/** Calls about access: checks, commands, approvals, sessions. Paths are encoded resource ids. */

import { readPages, valueOf } from "../ui/pages.js";
import { pathOf } from "../ui/route.js";

const place = (vm) => `${vm}/serialConsole`;

export const readChecks = (api, vm, right) => api.ask("GET", `${place(vm)}?for=${right}`);

/** Begins reset, restart, start, stop, nmi or sysrq; `body` has `reason` and for sysrq `keys`. */
export const doAct = (api, vm, act, body) => api.ask("POST", `${place(vm)}/${act}`, body);

export const readSessions = async (api, vm) => valueOf(await readPages(api, `${place(vm)}/sessions`));

export const askApproval = (api, vm, right, reason) => api.ask("POST", `${place(vm)}/approvals`, { for: right, reason });

export const readApproval = (api, vm, id) => api.ask("GET", `${place(vm)}/approvals/${encodeURIComponent(id)}`);

/** Returns waiting approvals: the person's own, and those that the person may decide. */
export const readApprovals = async (api) => (await api.ask("GET", "/approvals")).value;

/** Approves or denies an approval of the list; an empty comment is omitted. */
export function decide(api, { vm, id }, allow, comment) {
  return api.ask("POST", `${place(pathOf(vm))}/approvals/${encodeURIComponent(id)}/decision`, { allow, ...(comment && { comment }) });
}
