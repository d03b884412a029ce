/** Reads the status of a VM: refused checks in order, passed checks, alternatives. Pure. */

import { shortRefusal } from "./refusal_words.js";

const NAMES = {
  signIn: "Sign-in", permission: "Your role", cloud: "Cloud", region: "Region", switch: "Console switch", port: "Serial port",
  network: "Your network", tag: "Tags", lock: "Locks", provisioning: "Deployment", power: "Power", bootDiagnostics: "Boot diagnostics",
  storage: "Diagnostics storage", reason: "Reason", approval: "Approval",
};
/** Refusals of writing that may still allow watching. */
const OF_WRITING = new Set(["VmPermissionDenied", "StoragePermissionDenied", "ApprovalRequired", "ApprovalPending", "MfaRequired", "StepUpUnsupported"]);

export const checkName = ({ check }) => NAMES[check] ?? check;

/** Returns `{refused, passed}`, each in the service's order, which is the order in which to fix them. */
export function sorted(status) {
  const checks = status.checks ?? [];
  return { refused: checks.filter((one) => !one.passed), passed: checks.filter((one) => one.passed) };
}

export const holds = (status, right) => (status?.rights ?? []).includes(right);

/** Returns true if writing is refused to this person and watching may be allowed. */
export function offersWatch(status, mode) {
  if (mode === "watch" || !holds(status, "watch")) return false;
  const { refused } = sorted(status);
  return refused.length > 0 && refused.every((one) => OF_WRITING.has(one.code));
}

/** Returns `2 of 14 checks stand in the way`, or that none does. */
export function summary(status) {
  const { refused, passed } = sorted(status);
  const all = refused.length + passed.length;
  if (refused.length === 0) return `All ${all} checks passed`;
  if (refused.length === 1) return `${shortRefusal(refused[0])}; all else passed`;
  return `${refused.length} of ${all} checks stand in the way`;
}
