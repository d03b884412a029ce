/** Verifies the transcript part by part and shows the verdict in words. */

import { ApiError } from "../ui/api_error.js";
import { announce, busy, button, h, setText } from "../ui/dom.js";
import { size, together, verdict } from "./recording_words.js";
import { verifyRecordings } from "./recordings_api.js";

const SHOWN = 50;

export class Verifier {
  #context;
  #button = button("Verify", () => busy(this.#button, () => this.#verify()), { data: { testid: "verify" }, title: "Holds every byte to the hash chain and to what the service signed" });
  #result = h("div", { class: "verdict", role: "status", data: { testid: "verdict" } });

  /** `context` has api, path and signal. */
  constructor(context) {
    this.#context = context;
    this.element = h("div", { class: "verifier" }, this.#button, this.#result);
  }

  async #verify() {
    const { api, path, signal } = this.#context;
    const progress = h("p", { class: "quiet" }, "Verifying…");
    this.#result.replaceChildren(progress);
    try {
      const parts = [];
      for await (const part of verifyRecordings(api, path, signal)) {
        parts.push(part);
        setText(progress, `Verifying… ${size(part.end)} so far`);
      }
      this.#show(together(parts));
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      this.#result.replaceChildren(h("p", { class: "bad" }, `It could not be verified. ${error.message}`));
    }
  }

  #show(report) {
    const { tone, head, behind, more } = verdict(report);
    const findings = report.findings.slice(0, SHOWN).map((one) => h("li", {}, `${one.words} `, h("span", { class: "quiet" }, `Segment ${one.segment}${one.line ? `, line ${one.line}` : ""}. Who could explain it: ${one.who}.`)));
    const unseen = report.findings.length - findings.length;
    this.#result.replaceChildren(h("p", { class: tone }, h("strong", {}, head), "."), ...(behind ? [h("p", { class: "caution" }, behind)] : []), ...more.map((words) => h("p", { class: "quiet" }, words)),
      ...(findings.length ? [h("ul", { class: "findings" }, findings)] : []), ...(unseen > 0 ? [h("p", {}, `And ${unseen} more: python -m shared.verify lists them all.`)] : []));
    announce([head, behind].filter(Boolean).join(". "));
  }
}
