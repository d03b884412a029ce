import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { checkName, offersWatch, sorted, summary } from "../../web/session/checks.js";

const passed = (check) => ({ check, passed: true, code: null, message: null });
const refused = (check, code) => ({ check, passed: false, code, message: code });
const status = (...checks) => ({ checks, rights: ["watch"] });

test("what stands in the way keeps the service's order, apart from what passed", () => {
  const { refused: no, passed: yes } = sorted(status(passed("cloud"), refused("power", "VmNotRunning"), passed("region"), refused("storage", "StoragePermissionDenied")));
  assert.deepEqual(no.map((one) => one.check), ["power", "storage"]);
  assert.deepEqual(yes.map((one) => one.check), ["cloud", "region"]);
});

test("watching is offered to who may watch and lacks only what writing takes", () => {
  const lacking = status(refused("permission", "VmPermissionDenied"), passed("power"));
  assert.equal(offersWatch(lacking, "write"), true);
  assert.equal(offersWatch(lacking, "watch"), false);
  assert.equal(offersWatch({ ...lacking, rights: [] }, "write"), false);
  assert.equal(offersWatch({ checks: lacking.checks }, "write"), false);
  assert.equal(offersWatch(status(refused("permission", "VmPermissionDenied"), refused("power", "VmNotRunning")), "write"), false);
  assert.equal(offersWatch(status(passed("power")), "write"), false);
});

test("the checks are summed up in a line", () => {
  assert.equal(summary(status(passed("cloud"), passed("region"))), "All 2 checks passed");
  assert.equal(summary(status(passed("cloud"), refused("power", "VmNotRunning"))), "The VM is not running; all else passed");
  assert.equal(summary(status(refused("lock", "ResourceLocked"), refused("power", "VmNotRunning"))), "2 of 2 checks stand in the way");
});

test("every check that the service makes has a name", () => {
  const rules = readFileSync(new URL("../../shared/access/checks.py", import.meta.url), "utf8").split("class CheckName(StrEnum):")[1].split("@dataclass")[0];
  const checks = [...rules.matchAll(/= "(\w+)"/g)].map(([, check]) => check);
  assert.ok(checks.length > 10);
  for (const check of checks) assert.notEqual(checkName({ check }), check);
  assert.equal(checkName({ check: "novel" }), "novel");
});
