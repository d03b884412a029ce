import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { askApproval, decide, doAct, readApprovals, readChecks, readSessions } from "../../web/access/access_api.js";
import { badgeWords, forWords, inOrder, progress, stateAt, waitingFor, when } from "../../web/access/approval.js";
import { whileSeen } from "../../web/ui/poll.js";
import { withReason } from "../../web/access/reason.js";
import { readRoute } from "../../web/ui/route.js";
import { TabMemory } from "../../web/ui/tab_memory.js";

const NOW = Date.parse("2026-03-01T10:32:00");
const VM = "/subscriptions/s/resourceGroups/rg-web/providers/Microsoft.Compute/virtualMachines/web-01";
const asked = (more = {}) => ({
  id: "a1", vm: VM, vmName: "web-01", for: "write", state: "pending", reason: "INC-1", askedBy: { name: "Ada Lovelace" },
  askedAt: "2026-03-01T10:30:00", waitsUntil: "2026-03-01T11:30:00", goodUntil: null, decidedBy: null, decidedAt: null, comment: null, mine: true, ...more,
});

class Store {
  kept = new Map();
  getItem(key) { return this.kept.get(key) ?? null; }
  setItem(key, value) { this.kept.set(key, value); }
  removeItem(key) { this.kept.delete(key); }
}

// ---- calls

test("calls about access go where the protocol has them", async () => {
  const calls = [];
  const api = { ask: async (method, path, body) => (calls.push([method, path, body]), { value: [] }) };
  await readChecks(api, VM, "watch");
  await doAct(api, VM, "sysrq", { keys: "s", reason: "INC-1" });
  await readSessions(api, VM);
  await askApproval(api, VM, "write", "INC-1");
  await readApprovals(api);
  await decide(api, asked({ vm: VM.replace("web-01", "web 01") }), false, "");
  const place = `${VM}/serialConsole`;
  assert.deepEqual(calls, [
    ["GET", `${place}?for=watch`, undefined],
    ["POST", `${place}/sysrq`, { keys: "s", reason: "INC-1" }],
    ["GET", `${place}/sessions`, undefined],
    ["POST", `${place}/approvals`, { for: "write", reason: "INC-1" }],
    ["GET", "/approvals", undefined],
    ["POST", `${place.replace("web-01", "web%2001")}/approvals/a1/decision`, { allow: false }],
  ]);
});

test("requests for approval have an address of their own", () => {
  assert.deepEqual(readRoute("#/approvals"), { vm: null, approvals: true });
});

// ---- reasons

const refusal = (code) => Object.assign(new Error(code), { code });
const wish = (memory, ...answers) => ({
  said: [],
  reason: () => memory.recall("reason"),
  remember: (reason) => memory.remember("reason", reason),
  async demand(message, before) {
    this.said.push([message, before]);
    return answers.shift();
  },
});

test("a reason is asked for when it is demanded, sent with the request, and remembered", async () => {
  const memory = new TabMemory("ada", VM, new Store());
  const sent = [];
  const send = async (reason) => {
    sent.push(reason);
    if (!reason?.includes("INC-")) throw refusal("ReasonRequired");
    return "done";
  };
  const first = wish(memory, "because", "INC-7 disk");
  assert.equal(await withReason(send, first), "done");
  assert.deepEqual(sent, [null, "because", "INC-7 disk"]);
  assert.deepEqual(first.said, [["ReasonRequired", ""], ["ReasonRequired", "because"]]);
  assert.equal(await withReason(send, wish(memory)), "done");
  assert.equal(sent.at(-1), "INC-7 disk");
});

test("who gives no reason is refused, and any other refusal is not asked about", async () => {
  const memory = new TabMemory("ada", VM, new Store());
  await assert.rejects(withReason(async () => { throw refusal("ReasonRequired"); }, wish(memory, null)), { code: "ReasonRequired" });
  const other = wish(memory);
  await assert.rejects(withReason(async () => { throw refusal("VmNotRunning"); }, other), { code: "VmNotRunning" });
  assert.deepEqual(other.said, []);
});

test("a service that is never content is not asked for ever", async () => {
  const answers = Array.from({ length: 20 }, () => "INC-1");
  const patient = wish(new TabMemory("ada", VM, new Store()), ...answers);
  await assert.rejects(withReason(async () => { throw refusal("ReasonRequired"); }, patient), { code: "ReasonRequired" });
  assert.ok(patient.said.length < 10);
});

test("a tab remembers for one person and one console", () => {
  const store = new Store();
  new TabMemory("ada", VM, store).remember("reason", "INC-1");
  assert.equal(new TabMemory("ada", VM.toUpperCase(), store).recall("reason"), "INC-1");
  assert.equal(new TabMemory("grace", VM, store).recall("reason"), null);
  assert.equal(new TabMemory("ada", `${VM}2`, store).recall("reason"), null);
  new TabMemory("ada", VM, store).forget("reason");
  assert.equal(store.kept.size, 0);
  const none = new TabMemory("ada", VM, null);
  none.remember("reason", "INC-1");
  assert.equal(none.recall("reason"), null);
});

// ---- approval

test("a request says how it stands, who decided, and with what words", () => {
  const waiting = progress(asked(), NOW);
  assert.equal(waiting.title, "Waiting for approval");
  assert.equal(waiting.over, false);
  assert.match(waiting.lines[0], /until 11:30/);
  const by = { decidedBy: { name: "Grace Hopper" }, comment: "go" };
  const yes = progress(asked({ state: "approved", goodUntil: "2026-03-01T12:00:00", ...by }), NOW);
  assert.equal(yes.title, "Grace Hopper approved");
  assert.deepEqual(yes.lines, ["“go”", "Good until 12:00."]);
  assert.deepEqual(progress(asked({ state: "denied", ...by, comment: null }), NOW).lines, []);
  assert.equal(progress(asked({ state: "denied", ...by }), NOW).title, "Grace Hopper denied it");
  assert.equal(progress(asked({ state: "expired" }), NOW).title, "Nobody decided in time");
});

test("a request whose time is over has expired, whatever was read last", () => {
  assert.equal(stateAt(asked(), NOW), "pending");
  assert.equal(stateAt(asked(), Date.parse("2026-03-01T11:30:00")), "expired");
  assert.equal(stateAt(asked({ state: "approved" }), Date.parse("2026-03-02T11:30:00")), "approved");
});

test("the request that this console waits for is one's own, for this VM and this right", () => {
  const others = [asked({ mine: false }), asked({ id: "a2", for: "power" }), asked({ id: "a3", vm: `${VM}2` }), asked({ id: "a4", state: "denied" })];
  assert.equal(waitingFor(others, VM, "write"), null);
  assert.equal(waitingFor([...others, asked({ id: "a5" })], VM.toLowerCase(), "write").id, "a5");
  assert.equal(waitingFor([asked()], VM, "watch").id, "a1");
  assert.equal(waitingFor([asked({ for: "watch" })], VM, "write"), null);
});

test("what one may decide comes first, the oldest on top", () => {
  const list = [asked({ id: "mine" }), asked({ id: "new", mine: false, askedAt: "2026-03-01T10:31:00" }), asked({ id: "old", mine: false })];
  assert.deepEqual(inOrder(list).map((one) => one.id), ["old", "new", "mine"]);
  assert.equal(list[0].id, "mine");
});

test("the list of consoles counts what one may decide, and says nothing when nothing waits", () => {
  assert.equal(badgeWords([asked(), asked({ mine: false }), asked({ mine: false })]), "Requests for approval (2)");
  assert.equal(badgeWords([asked()]), "Your requests for approval (1)");
  assert.equal(badgeWords([]), "");
});

test("what somebody wants is said in a sentence, and a time of another day has its date", () => {
  assert.equal(forWords(asked()), "type on the console of web-01");
  assert.equal(forWords(asked({ for: "novel" })), "novel on web-01");
  assert.equal(when("2026-03-01T11:30:00", NOW), "11:30");
  assert.match(when("2026-03-02T11:30:00", NOW), /2.* 11:30/);
});

// ---- asking again

class FakePage extends EventTarget {
  hidden = false;
  see(seen) {
    this.hidden = !seen;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a page is looked at again and again while it is seen, at once when it is seen again, and no more when left", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const page = new FakePage();
  let looks = 0;
  const stop = whileSeen(1000, async () => { looks += 1; }, page);
  await settled();
  assert.equal(looks, 1);
  mock.timers.tick(1000);
  await settled();
  assert.equal(looks, 2);
  page.see(false);
  mock.timers.tick(5000);
  await settled();
  assert.equal(looks, 2);
  page.see(true);
  await settled();
  assert.equal(looks, 3);
  stop();
  mock.timers.tick(5000);
  page.see(true);
  await settled();
  assert.equal(looks, 3);
  mock.timers.reset();
});
