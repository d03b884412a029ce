import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

// In a browser the script leaves this global behind; here it is a CommonJS module.
globalThis.msal = (await import("../../web/node_modules/@azure/msal-browser/lib/msal-browser.min.js")).default;
const { Auth } = await import("../../web/access/auth.js");
const { Api } = await import("../../web/ui/api.js");
const { StepUp } = await import("../../web/access/step_up.js");

const CONSOLE = "#/console/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web-01";
const CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
const OTHER = CLAIMS.replace("c1", "c2");
const ADA = { name: "Ada Lovelace", username: "ada@contoso.example" };
const MINUTE = 60_000;

/** The tab: its address, its memory, a clock, and an MSAL that a sign-in comes back to. */
let tab;

beforeEach(() => {
  const kept = new Map();
  tab = { now: 1_000_000, left: [], account: null, back: null, silent: async () => ({ accessToken: "TOKEN" }) };
  globalThis.location = { origin: "http://here", hash: CONSOLE, search: "" };
  globalThis.history = { replaceState: (state, title, address) => (location.hash = address.replace("http://here/", "")) };
  tab.store = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value), removeItem: (name) => kept.delete(name) };
});

/** The page is loaded, maybe with an answer of a sign-in. */
async function load() {
  const msal = {
    handleRedirectPromise: async () => tab.back?.(),
    getActiveAccount: () => tab.account,
    setActiveAccount: (account) => (tab.account = account),
    getAllAccounts: () => [],
    acquireTokenSilent: (request) => tab.silent(request),
    acquireTokenRedirect: async (request) => tab.left.push({ ...request, by: "renewal" }),
    loginRedirect: async (request) => tab.left.push({ ...request, by: "login" }),
    logoutRedirect: async () => tab.left.push({ by: "logout" }),
  };
  const auth = new Auth(msal, ["api://a/Console.Access"], new StepUp(tab.store, () => tab.now));
  await auth.takeAnswer();
  tab.back = null;
  return auth;
}

/** The browser leaves for a sign-in and comes back, with the person or with an error. */
async function detour(answer = () => ({ account: ADA, state: tab.left.at(-1).state })) {
  location.hash = "#code=x";
  tab.back = answer;
  return load();
}

const denied = () => {
  throw Object.assign(new Error("access_denied"), { errorMessage: "You declined." });
};

/** An Api that is always challenged with these claims. */
function challenged(auth, claims = CLAIMS) {
  const headers = { "WWW-Authenticate": `Bearer error="insufficient_claims", claims="${btoa(claims)}"` };
  return new Api(auth, async () => new Response('{"error":{"code":"MfaRequired","message":"m"}}', { status: 401, headers }));
}

test("a stronger sign-in is for the account that is there, and comes back to the console it was wanted for", async () => {
  tab.account = ADA;
  const auth = await load();
  await auth.signIn({ claims: CLAIMS });
  const [{ by, claims, account, state }] = tab.left;
  assert.deepEqual({ by, claims, account, state }, { by: "renewal", claims: CLAIMS, account: ADA, state: CONSOLE });
  await detour();
  assert.equal(location.hash, CONSOLE);
});

test("words come before the page leaves, and say why", async () => {
  tab.account = ADA;
  const auth = await load();
  tab.silent = async ({ claims }) => {
    if (claims) throw Object.assign(new Error(), { errorCode: "interaction_required" });
    return { accessToken: "TOKEN" };
  };
  const message = "Your organization asks for a stronger sign-in for this.";
  await assert.rejects(challenged(auth).consoles(), { code: "SignInRequired", claims: CLAIMS, message });
  assert.deepEqual(tab.left, []);
});

test("the same challenge right after it was answered is an error, and sends nobody round", async () => {
  tab.account = ADA;
  await (await load()).signIn({ claims: CLAIMS });
  const auth = await detour();
  await assert.rejects(challenged(auth).consoles(), { code: "StepUpInVain", claims: null });
  await assert.rejects(challenged(await load()).consoles(), { code: "StepUpInVain" }, "nor does loading the page anew");
  assert.equal(tab.left.length, 1);
});

test("another challenge, or the same one later, is answered", async () => {
  tab.account = ADA;
  await (await load()).signIn({ claims: CLAIMS });
  const auth = await detour();
  await assert.rejects(challenged(auth, OTHER).consoles(), { code: "SignInRequired", claims: OTHER });
  tab.now += 6 * MINUTE;
  await assert.rejects(challenged(auth).consoles(), { code: "SignInRequired", claims: CLAIMS });
});

test("whoever said no comes back to the console and may say yes the next time", async () => {
  tab.account = ADA;
  await (await load()).signIn({ claims: CLAIMS });
  const auth = await detour(denied);
  assert.equal(auth.problem, "You declined.");
  assert.equal(location.hash, CONSOLE);
  assert.equal(await auth.token({ claims: CLAIMS }), "TOKEN");
});

test("whoever turned back before the sign-in has done nothing yet", async () => {
  tab.account = ADA;
  await (await load()).signIn({ claims: CLAIMS });
  assert.equal(await (await load()).token({ claims: CLAIMS }), "TOKEN");
});

for (const [how, leave] of [["signs out", (auth) => auth.signOut()], ["signs in anew", (auth) => auth.signIn()]]) {
  test(`what one person proved says nothing of whoever comes after: ${how}`, async () => {
    tab.account = ADA;
    await (await load()).signIn({ claims: CLAIMS });
    await leave(await detour());
    assert.equal(await (await detour()).token({ claims: CLAIMS }), "TOKEN");
  });
}

test("a person who is nobody yet picks an account, and a challenge goes along", async () => {
  const auth = await load();
  assert.equal(auth.user, null);
  await auth.signIn();
  await auth.signIn({ claims: CLAIMS });
  assert.deepEqual(tab.left.map(({ by, prompt, claims }) => ({ by, prompt, claims })), [
    { by: "login", prompt: "select_account", claims: undefined },
    { by: "login", prompt: "select_account", claims: CLAIMS },
  ]);
});

test("a token that only the network kept from us is no reason to sign in", async () => {
  tab.silent = async () => Promise.reject(Object.assign(new Error(), { errorCode: "no_network_connectivity" }));
  await assert.rejects((await load()).token(), { code: "Unreachable", retryable: true });
});
