import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { emptyWords, endWords, messageWords, panelFix, SHORT, shortRefusal, unaskedWords } from "../../web/session/refusal_words.js";
import { begin } from "../../web/session/session.js";
import { Speaker } from "../../web/ui/speaker.js";
import { countdown, heardAsk, heardLimit, limitWords, peopleWords, sinceOf, stateWords } from "../../web/session/words.js";
import { closeWords } from "../../web/session/protocol.js";

const NOW = Date.parse("2026-03-01T10:32:00");
const GRACE = { name: "Grace Hopper" };
const words = (changes, me) => stateWords({ ...begin(), ...changes }, NOW, me);

test("the state is always said in words", () => {
  const open = { phase: "open", live: true };
  assert.equal(words({ ...open, mode: "write" }).text, "Connected · writing");
  assert.equal(words({ ...open, mode: "watch", writer: GRACE }).text, "Watching · Grace Hopper is writing");
  assert.equal(words({ ...open, mode: "watch" }).text, "Watching · nobody is writing");
  const displaced = words({ phase: "displaced", end: { by: GRACE, at: NOW } });
  assert.match(displaced.text, /^Displaced by Grace Hopper at 10:32/);
  assert.match(words({ phase: "displaced", end: { by: GRACE, at: NOW } }, "Grace Hopper").text, /^Displaced by you, in another window/);
});

test("a countdown is shown but not read aloud every second", () => {
  const { text, steady } = words({ phase: "waiting", everOpen: true, end: closeWords(1006), retryAt: NOW + 3000 });
  assert.equal(text, "Connection lost, trying again in 3 s");
  assert.equal(steady, "Connection lost, trying again");
});

test("every end has its own words in the state line", () => {
  const seen = [1000, 4002, 4003, 4004, 4005, 4008, 4010].map((code) => words({ phase: "ended", end: closeWords(code) }).text);
  assert.equal(new Set(seen).size, seen.length);
});

test("countdowns read like a clock", () => {
  assert.equal(countdown(59_001), "1:00 min");
  assert.equal(countdown(9_100), "10 s");
  assert.equal(countdown(-5), "0 s");
});

test("the limit that ends first is the one that is said", () => {
  const state = { limits: { session: NOW + 120_000, idle: NOW + 30_000 } };
  assert.equal(limitWords(state, NOW), "Ends in 30 s unless you type");
  assert.equal(limitWords({ limits: {} }, NOW), null);
});

test("a limit is heard a few times on the way, and not every second", () => {
  const heard = [];
  for (let left = 130; left > 0; left -= 1) heard.push(heardLimit({ limits: { idle: NOW + left * 1000 } }, NOW));
  assert.deepEqual([...new Set(heard)], [
    "Ends within 5 minutes unless you type", "Ends within 2 minutes unless you type", "Ends within 1 minute unless you type", "Ends within 15 seconds unless you type",
  ]);
  assert.equal(heardLimit({ limits: { session: NOW + 3_600_000 } }, NOW), "");
  assert.equal(heardLimit({ limits: {} }, NOW), "");
});

test("a screen reader is told each thing once, and again when it comes back", () => {
  const told = [];
  const speaker = new Speaker((words) => told.push(words));
  speaker.hear({ state: "Connected · writing", limit: "" });
  speaker.hear({ state: "Connected · writing", limit: "" });
  speaker.hear({ state: "Connected · writing", limit: "Ends within 1 minute", ask: "Grace asks" });
  speaker.hear({ state: "Connected · writing", limit: "" });
  speaker.hear({ state: "Connected · writing", limit: "Ends within 1 minute" });
  assert.deepEqual(told, ["Connected · writing", "Ends within 1 minute. Grace asks", "Ends within 1 minute"]);
});

test("who is asked for the console hears by whom, and how to get to the answer", () => {
  assert.match(heardAsk({ ask: { by: GRACE } }), /^Grace Hopper asks for the console; silence counts as yes\. Ctrl\+F6/);
  assert.equal(heardAsk({ ask: null }), "");
});

test("who else is there leaves this person out", () => {
  assert.equal(peopleWords({ mode: "write", writer: GRACE, watchers: 2 }), "2 watchers");
  assert.equal(peopleWords({ mode: "watch", writer: GRACE, watchers: 2 }), "1 watcher beside you");
  assert.equal(peopleWords({ mode: "write", writer: GRACE, watchers: 0 }), "");
  assert.equal(peopleWords({ mode: "watch", writer: GRACE, watchers: 1 }), "");
});

test("a holder's since is read as seconds or as ISO time", () => {
  assert.equal(sinceOf({ since: 5 }), 5000);
  assert.equal(sinceOf({ since: "1970-01-01T00:00:05Z" }), 5000);
});

test("nobody is told to press what only Azure's portal has", () => {
  const table = readFileSync(new URL("../../shared/base/refusal_table.py", import.meta.url), "utf8");
  const texts = [...table.matchAll(/"([^"]*(?:button above|Click here)[^"]*)"/g)].map(([, text]) => text);
  assert.equal(texts.length, 2);
  for (const text of texts) assert.equal(messageWords({ code: "Novel", message: `It is needed. ${text}` }), "It is needed.");
});

test("a sentence that only repeats the few words above it is left out", () => {
  assert.equal(messageWords({ code: "NotFound", message: "There is nothing at this address." }), "");
  assert.equal(messageWords({ code: "VmNotRunning", message: "Azure needs it to run." }), "Azure needs it to run.");
});

test("where a button does it, what a program is to do is not said", () => {
  assert.equal(panelFix({ code: "ReasonRequired", fix: "Send the request again with a reason." }), "");
  assert.equal(panelFix({ code: "VmNotRunning", fix: "Start the VM." }), "Start the VM.");
});

test("an empty list sends nobody to an owner for what Azure was not asked", () => {
  assert.match(emptyWords({ filtered: false, unasked: [] }), /Ask an owner/);
  assert.doesNotMatch(emptyWords({ filtered: false, unasked: [{ subscription: "s1" }] }), /owner/);
  assert.match(emptyWords({ filtered: true, unasked: [] }), /filter/);
});

test("a refusal without short words speaks for itself", () => {
  assert.equal(shortRefusal({ code: "VmNotRunning", message: "long" }), "The VM is not running");
  assert.equal(shortRefusal({ code: "Novel", message: "its own" }), "its own");
});

const listed = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8").split("## Warnings")[0];
const table = [...listed.matchAll(/^\| (\w+) \| \d+ \| (\d*)/gm)].map(([, code, close]) => ({ code, close: Number(close) || null }));

test("every refusal of the documentation has its short words, and there are none for codes that are gone", () => {
  const ours = ["SignInRequired", "StepUpInVain", "Unreachable", "ServiceBusy", "InternalError"];
  assert.ok(table.length > 50);
  assert.deepEqual(Object.keys(SHORT).sort(), [...table.map((one) => one.code), ...ours].sort());
  for (const [code, words] of Object.entries(SHORT)) assert.ok(words.length > 10 && words.length < 70 && !words.endsWith("."), code);
});

test("where a close code stands for several reasons, each reason has words of its own", () => {
  const shared = table.filter(({ close }) => close === 4012);
  assert.ok(shared.length > 5);
  const words = shared.map(({ code }) => endWords(code).words);
  assert.equal(new Set(words).size, shared.length);
  assert.ok(words.every(Boolean));
  assert.deepEqual(endWords("Novel"), {});
});

test("a subscription that could not be asked is named with what Azure said", () => {
  const words = unaskedWords({ subscription: "s1", code: "AzureThrottled", message: "Azure Resource Manager throttles." });
  assert.equal(words, "VMs of the subscription s1 may be missing here: Azure Resource Manager throttles.");
});
