/** The commands on a VM: names, effects on the guest, required rights. Pure. */

/** `danger`: the guest is not asked, or may crash. `line`: goes down the serial line, so the console must be open. */
export const ACTS = {
  restart: act("power", "Restart", {
    does: "Azure asks the guest to shut down and starts it again. What runs in it ends; people who are logged in are thrown out.",
    doing: "Restarting", done: "restarted",
  }),
  start: act("power", "Start", { does: "Azure starts the VM. It is paid for from then on.", doing: "Starting", done: "started", gentle: true }),
  stop: act("power", "Stop", {
    does: "Azure shuts the guest down and gives its host back: the VM is no longer paid for, its temporary disk and a dynamic public address are lost, and the console closes.",
    doing: "Stopping", done: "stopped", danger: true,
  }),
  reset: act("power", "Reset", {
    does: "Like holding the power button: the guest is not asked and starts anew at once. What it has not written to disk is lost.",
    doing: "Resetting", done: "reset", danger: true, line: true,
  }),
  nmi: act("nmi", "NMI", {
    does: "Sends a non-maskable interrupt. Depending on its settings the guest writes a line to its log, or crashes at once and dumps its memory.",
    doing: "Sending an NMI to", done: "sent an NMI to", danger: true, line: true, verb: "Send NMI",
  }),
  sysrq: act("nmi", "SysRq", {
    does: "Sends Magic SysRq keys to the Linux kernel, which obeys those that its setting kernel.sysrq allows, one after the other.",
    doing: "Sending SysRq to", done: "sent SysRq to", danger: true, line: true, verb: "Send",
  }),
};

function act(right, name, { does, doing, done, danger = false, line = false, gentle = false, verb = name }) {
  return Object.freeze({ right, name, does, doing, done, danger, line, gentle, verb });
}

/** SysRq's usual letters, gentlest first. `danger` ends something or everything. */
export const SYSRQ = [
  sysrq("h", "Help: lists the letters this kernel knows"),
  sysrq("t", "Tasks: prints every task and where it is"),
  sysrq("w", "Waiting: prints tasks that are blocked"),
  sysrq("m", "Memory: prints how it is used"),
  sysrq("s", "Sync: writes everything to disk"),
  sysrq("u", "Unmount: makes every file system read-only", true),
  sysrq("e", "End: asks every process but init to terminate", true),
  sysrq("i", "Kill: kills every process but init", true),
  sysrq("b", "Boot: restarts at once, without writing to disk", true),
  sysrq("c", "Crash: crashes the kernel, for a dump", true),
];

function sysrq(key, does, danger = false) {
  return Object.freeze({ key, does, danger });
}

/** Returns what these keys do, one line each, and whether they are harmful. An unlisted key counts as harmful. */
export function sysrqWords(keys) {
  const known = [...keys].map((key) => SYSRQ.find((one) => one.key === key) ?? { key, does: "not known to this page", danger: true });
  return { lines: known.map(({ key, does }) => `${key} · ${does}`), danger: known.some((one) => one.danger) };
}

const KEYS = /^[A-Za-z0-9]{1,16}$/;
export const keysAreValid = (keys) => KEYS.test(keys);

/** Returns the names of the commands that these rights allow, in the order of the menu. */
export function actsFor(rights) {
  return Object.keys(ACTS).filter((name) => (rights ?? []).includes(ACTS[name].right));
}

/** Returns the line that tells everybody at the console who ran a command. */
export function actWords({ act: name, by }, vm, me) {
  const who = by?.name && by.name === me ? "You" : (by?.name ?? "Somebody");
  return `${who} ${ACTS[name]?.done ?? `did ${name} to`} ${vm}`;
}

/** Returns the line for a command that has begun. The service does not know its effect on the guest; the console shows it. */
export function begunWords(name, vm) {
  return ACTS[name].line ? `${ACTS[name].name} was sent to ${vm}` : `${ACTS[name].name} of ${vm} has begun`;
}
