import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ACTS, actsFor, actWords, begunWords, keysAreValid, SYSRQ, sysrqWords } from "../../web/access/commands.js";

const acts = [...readFileSync(new URL("../../shared/access/commands.py", import.meta.url), "utf8").matchAll(/^ {4}[A-Z]+ = "(\w+)"/gm)].map(([, name]) => name);

test("every act of the service is known here, and no other", () => {
  assert.deepEqual(Object.keys(ACTS).sort(), acts.sort());
});

test("each act is offered only to who holds the right for it", () => {
  assert.deepEqual(actsFor(["watch", "write"]), []);
  assert.deepEqual(actsFor(["power"]), ["restart", "start", "stop", "reset"]);
  assert.deepEqual(actsFor(["nmi"]), ["nmi", "sysrq"]);
  assert.deepEqual(actsFor(undefined), []);
});

test("an act says what it does to the guest before it is done", () => {
  for (const [name, { does }] of Object.entries(ACTS)) assert.ok(does.length > 40, name);
  assert.match(ACTS.reset.does, /power button/);
  assert.equal(ACTS.start.gentle, true);
  for (const name of ["stop", "reset", "nmi", "sysrq"]) assert.equal(ACTS[name].danger, true);
});

test("everybody reads who did what", () => {
  const grace = { name: "Grace Hopper" };
  assert.equal(actWords({ act: "reset", by: grace }, "web-01", "Ada Lovelace"), "Grace Hopper reset web-01");
  assert.equal(actWords({ act: "nmi", by: grace }, "web-01", "Grace Hopper"), "You sent an NMI to web-01");
  assert.equal(actWords({ act: "restart", by: null }, "web-01"), "Somebody restarted web-01");
  assert.equal(actWords({ act: "novel", by: grace }, "web-01"), "Grace Hopper did novel to web-01");
});

test("an act that was begun is not said to be done", () => {
  assert.equal(begunWords("restart", "web-01"), "Restart of web-01 has begun");
  assert.equal(begunWords("sysrq", "web-01"), "SysRq was sent to web-01");
});

test("the usual letters each say what they do, and only those that look are harmless", () => {
  assert.deepEqual(SYSRQ.map((one) => one.key).sort(), [..."hstuebiwmc"].sort());
  assert.deepEqual(SYSRQ.filter((one) => !one.danger).map((one) => one.key).join(""), "htwms");
});

test("SysRq takes 1 to 16 letters and digits", () => {
  for (const good of ["s", "sub", "9", "a".repeat(16)]) assert.ok(keysAreValid(good));
  for (const bad of ["", "s u b", "a".repeat(17), "é", "s\n"]) assert.ok(!keysAreValid(bad), bad);
});

test("the keys are explained in their order, and one that nobody knows may harm", () => {
  assert.deepEqual(sysrqWords("sb").lines, ["s · Sync: writes everything to disk", "b · Boot: restarts at once, without writing to disk"]);
  assert.equal(sysrqWords("sb").danger, true);
  assert.equal(sysrqWords("sh").danger, false);
  assert.equal(sysrqWords("z").danger, true);
  assert.deepEqual(sysrqWords(""), { lines: [], danger: false });
});
