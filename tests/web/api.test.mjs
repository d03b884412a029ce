import assert from "node:assert/strict";
import { test } from "node:test";

import { Api } from "../../web/ui/api.js";
import { ApiError, readClaims } from "../../web/ui/api_error.js";
import { consoleRoute, nameOf, pathOf, readRoute } from "../../web/ui/route.js";

const VM = "/subscriptions/s/resourceGroups/rg-web/providers/Microsoft.Compute/virtualMachines/web-01";
const CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
const json = (status, body, headers = {}) => new Response(body && JSON.stringify(body), { status, headers });

/** An Api whose service gives these answers in turn; `calls` and `tokens` are what was asked. */
function service(...answers) {
  const calls = [];
  const tokens = [];
  const auth = { token: async (wish) => (tokens.push(wish), "TOKEN") };
  const fetch = async (address, options) => (calls.push({ address, ...options }), answers.shift()());
  const waits = [];
  return { api: new Api(auth, fetch, async (time) => waits.push(time)), calls, tokens, waits };
}

test("a call carries the token and a correlation id", async () => {
  const { api, calls } = service(() => json(200, { value: [], unasked: [] }));
  assert.deepEqual(await api.consoles(), { value: [], unasked: [] });
  assert.equal(calls[0].address, "/api/consoles");
  assert.equal(calls[0].headers.Authorization, "Bearer TOKEN");
  assert.match(calls[0].headers["x-ms-correlation-request-id"], /^[0-9a-f-]{36}$/);
});

test("a refusal keeps its code, words, mending and correlation", async () => {
  const inner = { fix: "Start it.", fixCommand: "az vm start", retryable: true, retryAfterSeconds: 5, correlationId: "c" };
  const { api } = service(() => json(409, { error: { code: "VmNotRunning", message: "m", details: [{ code: "X", message: "other" }], innererror: inner } }));
  await assert.rejects(api.openSession(VM, {}), (error) => {
    assert.ok(error instanceof ApiError);
    const { code, message, fix, fixCommand, retryable, retryAfter, correlationId } = error;
    assert.deepEqual({ code, message, fix, fixCommand, retryable, retryAfter, correlationId },
      { code: "VmNotRunning", message: "m", fix: "Start it.", fixCommand: "az vm start", retryable: true, retryAfter: 5, correlationId: "c" });
    assert.equal(error.details.length, 1);
    return true;
  });
});

test("a claims challenge is answered once with a token for those claims", async () => {
  const challenge = { "WWW-Authenticate": `Bearer error="insufficient_claims", claims="${btoa(CLAIMS)}"` };
  const refusal = () => json(401, { error: { code: "MfaRequired", message: "m" } }, challenge);
  const passed = service(refusal, () => json(200, { value: [1], unasked: [] }));
  assert.deepEqual(await passed.api.consoles(), { value: [1], unasked: [] });
  assert.deepEqual(passed.tokens, [{ claims: undefined }, { claims: CLAIMS }]);
  const stuck = service(refusal, refusal);
  await assert.rejects(stuck.api.consoles(), { code: "SignInRequired", claims: CLAIMS });
});

test("whoever met one challenge is told the next one, and not the first again", async () => {
  const more = CLAIMS.replace("c1", "c2");
  const refusal = (claims) => () => json(401, { error: { code: "MfaRequired", message: "m" } }, { "WWW-Authenticate": `Bearer claims="${btoa(claims)}"` });
  const { api } = service(refusal(CLAIMS), refusal(more));
  await assert.rejects(api.consoles(), { code: "SignInRequired", claims: more });
});

test("an answer that is not ours is still an error in words", async () => {
  const { api } = service(...Array(4).fill(() => new Response("<html>Bad gateway</html>", { status: 502 })));
  await assert.rejects(api.consoles(), { code: "Unreachable", retryable: true });
});

const empty = (status, headers = {}) => () => new Response(status === 200 ? '{"value": [], "unasked": []}' : null, { status, headers });

for (const status of [429, 500, 502, 503, 504]) {
  test(`what the host answers in passing, ${status} with nothing in it, is asked again, later each time`, async () => {
    const { api, calls, waits } = service(empty(status), empty(status), empty(200));
    assert.deepEqual(await api.consoles(), { value: [], unasked: [] });
    assert.equal(calls.length, 3);
    assert.ok(waits[0] >= 500 && waits[0] < 1000 && waits[1] >= 1000 && waits[1] < 2000);
  });

  test(`nobody asks for ever: ${status}`, async () => {
    const { api, calls } = service(...Array(9).fill(empty(status)));
    const code = { 429: "ServiceBusy", 500: "InternalError" }[status] ?? "Unreachable";
    await assert.rejects(api.consoles(), { code, retryable: true, status });
    assert.equal(calls.length, 4);
  });

  test(`what changes something is not sent twice by itself, unless it was turned away: ${status}`, async () => {
    const { api, calls } = service(empty(status), () => json(201, { id: "s" }));
    const opening = api.openSession(VM, { mode: "watch" });
    if (status === 429) assert.deepEqual(await opening, { id: "s" });
    else await assert.rejects(opening, { status, retryable: true });
    assert.equal(calls.length, status === 429 ? 2 : 1);
  });
}

test("what comes while the host starts is sent again: no function has seen it", async () => {
  const starting = () => new Response("Function host is not running.", { status: 503 });
  const { api, calls } = service(starting, () => json(201, { id: "s" }));
  assert.deepEqual(await api.openSession(VM, { mode: "watch" }), { id: "s" });
  assert.equal(calls.length, 2);
});

test("a refusal of the service itself is not asked again", async () => {
  for (const [status, code] of [[429, "TooManyRequests"], [503, "AzureUnavailable"], [500, "InternalError"]]) {
    const { api, calls } = service(() => json(status, { error: { code, message: "m" } }, { "x-ms-error-code": code }));
    await assert.rejects(api.consoles(), { code, status });
    assert.equal(calls.length, 1);
  }
});

test("the host's 404, which has nothing in it, is told in words and not asked again", async () => {
  const { api, calls } = service(empty(404));
  await assert.rejects(api.consoles(), { code: "NotFound", message: "There is nothing at this address.", retryable: false });
  assert.equal(calls.length, 1);
});

test("a list is read to its last page", async () => {
  const page = (value, next, unasked = []) => () => json(200, { value, next, unasked });
  const { api, calls } = service(page([1, 2], "/a b", [{ subscription: "s" }]), page([], "/c"), page([3], null, [{ subscription: "s" }]));
  assert.deepEqual(await api.consoles(), { value: [1, 2, 3], unasked: [{ subscription: "s" }] });
  assert.deepEqual(calls.map((call) => call.address), ["/api/consoles", "/api/consoles?cursor=%2Fa+b", "/api/consoles?cursor=%2Fc"]);
});

test("a transcript is read piece by piece to its end, over what the ring has dropped", async () => {
  const piece = (text, next) => () => new Response(text, { headers: { "x-console-offset-next": String(next) } });
  const { api, calls } = service(piece("kept ", 105), piece("since", 110), piece("", 110));
  const read = [];
  assert.equal(await (await api.transcript(VM, (bytes) => read.push(bytes))).text(), "kept since");
  assert.equal(read.at(-1), "kept since".length, "whoever waits sees how much has come");
  assert.deepEqual(calls.map((one) => new URL(one.address, "http://x").searchParams.get("offset")), ["0", "105", "110"]);
});

test("a network that fails is retryable and says so", async () => {
  const { api } = service(() => { throw new TypeError("failed to fetch"); });
  await assert.rejects(api.consoles(), { code: "Unreachable", retryable: true });
});

test("claims are read as base64 or as JSON, and rubbish is none", () => {
  assert.equal(readClaims(`Bearer claims="${btoa(CLAIMS)}"`), CLAIMS);
  assert.equal(readClaims(`Bearer claims="${CLAIMS.replaceAll('"', '\\"')}"`), CLAIMS);
  assert.equal(readClaims('Bearer claims="%%%"'), null);
  assert.equal(readClaims("Bearer"), null);
  assert.equal(readClaims(null), null);
});

test("a deep link names a VM, and nothing else gets through", () => {
  assert.deepEqual(readRoute(consoleRoute(VM)), { vm: VM });
  const instance = VM.replace("virtualMachines/web-01", "virtualMachineScaleSets/set/virtualMachines/3");
  assert.deepEqual(readRoute(consoleRoute(instance)), { vm: instance });
  assert.equal(nameOf(instance).name, "set / 3");
  for (const bad of ["", "#/", "#/console", "#/console/etc/passwd", `#/console${VM}/extra`, "#/console/%E0%A4%A"]) assert.deepEqual(readRoute(bad), { vm: null });
  assert.equal(pathOf("/a/b?c#d"), "/a/b%3Fc%23d");
});
