/** Approvals in words, and the choice of the one that a console waits for. Pure; times are milliseconds since 1970. */

import { clock } from "../session/words.js";

const FOR = {
  watch: "watch the console of", write: "type on the console of", power: "restart, reset, start or stop", nmi: "send an NMI or SysRq to",
};

/** `type on the console of web-01` */
export const forWords = ({ for: right, vmName }) => `${FOR[right] ?? `${right} on`} ${vmName}`;

/** Formats a time: today's as a clock time, another day's with its date. */
export function when(time, now) {
  const at = Date.parse(time);
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  return sameDay ? clock(at) : `${new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short" })} ${clock(at)}`;
}

/** Returns `{title, lines, tone, over}` of an approval. `over`: its state will not change any more. */
export function progress(approval, now) {
  const who = approval.decidedBy?.name ?? "Somebody";
  const comment = approval.comment ? [`“${approval.comment}”`] : [];
  switch (stateAt(approval, now)) {
    case "approved": return describe(`${who} approved`, [...comment, approval.goodUntil && `Good until ${when(approval.goodUntil, now)}.`], "good", true);
    case "denied": return describe(`${who} denied it`, comment, "bad", true);
    case "expired": return describe("Nobody decided in time", ["You may ask again."], "bad", true);
    default: return describe("Waiting for approval", [
      `Anybody else with the role Virtual Machine Contributor on ${approval.vmName} may decide, until ${when(approval.waitsUntil, now)}.`,
      "You may leave this page: the request goes on waiting, and is found again here.",
    ], "busy", false);
  }
}

const describe = (title, lines, tone, over) => ({ title, lines: lines.filter(Boolean), tone, over });

/** Returns the state at this time: a waiting approval has expired when its time is over, even if it was read before. */
export function stateAt({ state, waitsUntil }, now) {
  return state === "pending" && Date.parse(waitsUntil) <= now ? "expired" : state;
}

/** Returns the person's own waiting approval for this right on this VM, or null; `write` includes `watch`. */
export function waitingFor(approvals, vm, right) {
  const covers = right === "watch" ? ["watch", "write"] : [right];
  return approvals.find((one) => one.mine && one.state === "pending" && same(one.vm, vm) && covers.includes(one.for)) ?? null;
}

const same = (one, other) => one.toLowerCase() === other.toLowerCase();

/** Sorts approvals: first those that the person may decide, oldest first; then the person's own. */
export function inOrder(approvals) {
  return [...approvals].sort((one, other) => Number(one.mine) - Number(other.mine) || Date.parse(one.askedAt) - Date.parse(other.askedAt));
}

/** Returns the text about approvals in the list of consoles; empty if there are none. */
export function badgeWords(approvals) {
  const todo = approvals.filter((one) => !one.mine).length;
  if (todo > 0) return `Requests for approval (${todo})`;
  return approvals.length > 0 ? `Your requests for approval (${approvals.length})` : "";
}
