/** The entry point: signs in, then shows the page of the address. */

import { Api, readConfig } from "./ui/api.js";
import { openAuth } from "./access/auth.js";
import { ConsolesView } from "./session/vm_list.js";
import { showKeys } from "./ui/dialog.js";
import { announce, busy, button, h } from "./ui/dom.js";
import { apply, looks, nextTheme, prefs } from "./ui/prefs.js";
import { readRoute } from "./ui/route.js";

const main = document.getElementById("main");
const THEME_WORDS = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };

async function start() {
  apply();
  drawTheme();
  document.getElementById("theme").addEventListener("click", changeTheme);
  document.getElementById("keys").addEventListener("click", showKeys);
  addEventListener("keydown", globalKeys);
  try {
    const auth = await openAuth(await readConfig());
    if (auth.user) signedIn(auth);
    else signedOut(auth);
  } catch (error) {
    failed(error);
  }
}

function signedIn(auth) {
  const out = document.getElementById("sign-out");
  const name = document.getElementById("user-name");
  name.textContent = auth.user.name;
  name.title = auth.user.email;
  name.hidden = out.hidden = false;
  out.addEventListener("click", () => auth.signOut());
  const api = new Api(auth);
  let view = null;
  let turn = 0;
  const show = async () => {
    const mine = (turn += 1);
    view?.dispose();
    view = null;
    const route = readRoute(location.hash);
    const made = await makeView(route, { api, auth }).catch(() => null);
    if (mine !== turn) return;
    if (!made) return failed({ message: "This part of the page could not be loaded.", fix: "Check your network, then try again." });
    view = made;
    document.body.dataset.page = route.vm && !route.recordings ? "console" : route.id ? "player" : "list";
    view.mount(main);
  };
  addEventListener("hashchange", show);
  addEventListener("pagehide", () => view?.dispose());
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  show();
}

/** Loads a page's code when the page is first opened; most of it is the terminal. */
async function makeView({ vm, approvals, recordings, ...place }, parts) {
  if (recordings && place.id) return new (await import("./recordings/player_view.js")).PlayerView({ ...parts, vm, ...place });
  if (recordings) return new (await import("./recordings/recordings.js")).RecordingsView({ ...parts, vm });
  if (vm) return new (await import("./session/console_view.js")).ConsoleView({ ...parts, vm });
  return approvals ? new (await import("./access/approvals.js")).ApprovalsView(parts) : new ConsolesView(parts);
}

function signedOut(auth) {
  document.body.dataset.page = "welcome";
  document.title = "Serial Console";
  const go = button("Sign in", () => {
    problem.textContent = "";
    busy(go, () => auth.signIn()).catch((error) => (problem.textContent = error.message));
  }, { class: "primary large", data: { testid: "sign-in" } });
  const problem = h("p", { class: "problem", role: "alert" }, auth.problem ?? "");
  main.replaceChildren(h("section", { class: "welcome" },
    h("h1", {}, "Serial Console"),
    h("p", {}, "The serial port of your virtual machines, in the browser: for when the network, SSH or the boot is what broke."),
    go, problem));
  go.focus();
}

function failed(error) {
  document.body.dataset.page = "welcome";
  main.replaceChildren(h("section", { class: "welcome" }, h("h1", {}, "Serial Console"),
    h("p", { class: "problem", role: "alert" }, error.message), h("p", {}, error.fix ?? ""),
    button("Try again", () => location.reload(), { class: "primary large" })));
}

function changeTheme() {
  announce(THEME_WORDS[nextTheme()]);
  drawTheme();
}

function drawTheme() {
  const toggle = document.getElementById("theme");
  toggle.title = toggle.ariaLabel = `${THEME_WORDS[prefs().theme]} (Alt+T)`;
  toggle.dataset.theme = prefs().theme;
}

/** Handles Alt+T outside the terminal, and `?` outside inputs and dialogs. */
function globalKeys(event) {
  if (event.altKey && event.code === "KeyT" && !event.target.closest?.(".terminal")) {
    event.preventDefault();
    changeTheme();
  } else if (event.key === "?" && !event.target.matches("input, textarea, dialog *")) showKeys();
}

looks.addEventListener("change", drawTheme);
start();
