/** The list of every VM that the person may read, with the reason if its console cannot be opened. */

import { readApprovals } from "../access/access_api.js";
import { badgeWords } from "../access/approval.js";
import { announce, busy, button, command, h, setText } from "../ui/dom.js";
import { failureView } from "../ui/failure.js";
import { whileSeen } from "../ui/poll.js";
import { emptyWords, fixWords, messageWords, shortRefusal, unaskedWords } from "./refusal_words.js";
import { APPROVALS, consoleRoute, recordingsRoute } from "../ui/route.js";
import { countdown } from "./words.js";

const POWER = {
  running: "Running", starting: "Starting", stopping: "Stopping", stopped: "Stopped",
  deallocating: "Deallocating", deallocated: "Deallocated", unknown: "Unknown",
};
const MILLISECONDS = 1000;
const SKELETON_ROWS = 6;
const APPROVALS_MILLISECONDS = 10_000;

export class ConsolesView {
  #api;
  #auth;
  /** Null while no list is loaded; the page must then not show an empty one. */
  #all = null;
  #again;
  #unasked = [];
  #missing = h("div", { class: "missing", role: "alert", hidden: true, data: { testid: "unasked" } });
  #problem = h("div", { class: "message", data: { testid: "problem" } });
  #list = h("ul", { class: "vms", role: "list", on: { keydown: (event) => this.#arrows(event) } });
  #message = h("div", { class: "message" });
  #count = h("span", { class: "quiet number" });
  #filter = h("input", { type: "search", class: "filter", placeholder: "Filter by name, group, state…", "aria-label": "Filter consoles", spellcheck: false, autocomplete: "off",
    on: { input: () => this.#draw(), keydown: (event) => this.#fromFilter(event) } });
  #requests = h("a", { class: "badge", href: APPROVALS, hidden: true, data: { testid: "approvals" } });
  #stopLooking = () => {};
  #refresh = button("Refresh", () => this.load(), { title: "R" });

  constructor({ api, auth }) {
    this.#api = api;
    this.#auth = auth;
  }

  mount(place) {
    document.title = "Consoles · Serial Console";
    place.replaceChildren(h("section", { class: "consoles" },
      h("div", { class: "list-head" }, h("h1", {}, "Consoles"), this.#count, this.#requests, h("label", { class: "filter-label" }, this.#filter, h("kbd", { "aria-hidden": "true" }, "/")), this.#refresh),
      this.#problem, this.#missing,
      h("div", { class: "columns", "aria-hidden": "true" }, ["VM", "Resource group", "OS", "Power", "Console"].map((name) => h("span", {}, name))),
      this.#list, this.#message));
    addEventListener("keydown", this.#keys);
    this.load();
    this.#stopLooking = whileSeen(APPROVALS_MILLISECONDS, () => this.#lookForRequests());
  }

  dispose() {
    this.#stopLooking();
    clearInterval(this.#again);
    removeEventListener("keydown", this.#keys);
  }

  load() {
    return busy(this.#refresh, () => this.#load());
  }

  async #load() {
    clearInterval(this.#again);
    setText(this.#refresh, "Refreshing…");
    announce("Reading the list of consoles…");
    if (!this.#all?.length) this.#showNothing(Array.from({ length: SKELETON_ROWS }, skeleton));
    try {
      ({ value: this.#all, unasked: this.#unasked } = await this.#api.consoles());
      this.#problem.replaceChildren();
      this.#draw();
      announce([`${this.#all.length} consoles`, ...this.#unasked.map(unaskedWords)].join(". "));
    } catch (error) {
      this.#fail(error);
    } finally {
      setText(this.#refresh, "Refresh");
    }
  }

  #showNothing(rows = []) {
    this.#list.replaceChildren(...rows);
    this.#message.replaceChildren();
    this.#problem.replaceChildren();
  }

  /** Shows an error. A loaded list stays visible and is marked as old; a passing error is retried when the service allows it. */
  #fail(error) {
    if (!this.#all) this.#showNothing();
    const old = this.#all ? [h("p", { class: "quiet" }, "The list below is as it was before.")] : [];
    const again = h("p", { class: "quiet number", data: { testid: "again" } });
    this.#problem.replaceChildren(failureView(error, this.#auth, () => this.load()), ...old, again);
    if (error.retryAfter) this.#waitFor(Date.now() + error.retryAfter * MILLISECONDS, again);
  }

  #waitFor(time, words) {
    const tick = () => {
      setText(words, `It is tried again in ${countdown(time - Date.now())}.`);
      if (Date.now() >= time) this.load();
    };
    tick();
    this.#again = setInterval(tick, MILLISECONDS / 2);
  }

  /** Loads the approvals. An error is not shown, because this page is about consoles. */
  async #lookForRequests() {
    const words = badgeWords(await readApprovals(this.#api).catch(() => []));
    if (words && words !== this.#requests.textContent) announce(words);
    setText(this.#requests, words);
    this.#requests.hidden = !words;
  }

  #draw() {
    if (!this.#all) return;
    this.#missing.hidden = this.#unasked.length === 0;
    this.#missing.replaceChildren(...this.#unasked.map((each) => h("p", {}, unaskedWords(each))));
    const words = this.#filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = this.#all.filter((vm) => words.every((word) => searchable(vm).includes(word)));
    this.#list.replaceChildren(...shown.map(row));
    setText(this.#count, words.length ? `${shown.length} of ${this.#all.length}` : String(this.#all.length));
    this.#message.replaceChildren(...(shown.length ? [] : [h("p", { class: "empty" }, emptyWords({ filtered: words.length > 0, unasked: this.#unasked }))]));
  }

  // ---- keyboard: arrows go from row to row, Tab through all that is in them

  get #links() {
    return [...this.#list.querySelectorAll("a[data-testid]")];
  }

  #arrows(event) {
    const links = this.#links;
    const at = links.indexOf(document.activeElement.closest(".vm")?.querySelector("a.name"));
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    if (next < 0) return this.#filter.focus();
    links[Math.min(next, links.length - 1)].focus();
  }

  #fromFilter(event) {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      this.#links[0]?.focus();
    } else if (event.key === "Escape") {
      this.#filter.value = "";
      this.#draw();
    }
  }

  #keys = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, dialog *")) return;
    if (event.key === "/") {
      event.preventDefault();
      this.#filter.focus();
    } else if (event.key === "r") this.load();
  };
}

const searchable = (vm) => [vm.name, vm.group, vm.location, vm.os, vm.power].join(" ").toLowerCase();

/** The link to a console. It is there even if the console cannot be opened: its page has the full reason and a retry. */
function row(vm) {
  const power = (vm.power ?? "unknown").toLowerCase();
  return h("li", { class: "vm", data: { testid: "vm-row", vm: vm.name, available: String(vm.available) } },
    h("a", { class: "name", href: consoleRoute(vm.id), data: { testid: "open-console" }, "aria-label": `${vm.name}, ${vm.available ? "open console" : "console not possible"}` }, vm.name),
    h("span", { class: "group" }, vm.group, h("span", { class: "quiet" }, ` ${vm.location ?? ""}`)),
    h("span", { class: "os" }, vm.os),
    h("span", { class: "power", data: { power } }, POWER[power] ?? vm.power),
    h("span", { class: "can" }, canWords(vm), h("a", { class: "also", href: recordingsRoute(vm.id), "aria-label": `Recordings of ${vm.name}` }, "Recordings")),
    !vm.available && vm.refusals?.length > 0 && why(vm.refusals),
    (vm.warnings ?? []).map((one) => h("div", { class: "aside warning", data: { testid: "warning", code: one.code } }, h("p", {}, one.message, one.fix && h("span", { class: "quiet" }, ` ${one.fix}`)))));
}

function canWords({ available, refusals }) {
  if (available) return "Open";
  return refusals?.every((one) => one.code.startsWith("Approval")) ? "Ask" : "Not possible";
}

/** Shows the first reason and the number of others; the console's page lists them all. */
function why([refusal, ...more]) {
  return h("div", { class: "aside", data: { testid: "refusal", code: refusal.code } },
    h("p", { title: messageWords(refusal) }, h("strong", {}, shortRefusal(refusal)), ". ", fixWords(refusal), more.length > 0 && h("span", { class: "quiet" }, ` And ${more.length} more.`)),
    refusal.fixCommand && command(refusal.fixCommand));
}

function skeleton() {
  return h("li", { class: "vm skeleton", "aria-hidden": "true" }, ["name", "group", "os", "power", "can"].map((name) => h("span", { class: name }, h("i", {}))));
}
