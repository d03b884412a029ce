/** Views of checks and refusals: refused checks with their fixes, passed ones folded, warnings apart. */

import { checkName, sorted, summary } from "./checks.js";
import { command, h } from "../ui/dom.js";
import { fixWords, messageWords, panelFix, shortRefusal } from "./refusal_words.js";

/** Makes the list of checks from the status of a VM (GET serialConsole). */
export function checkList(status) {
  const { refused, passed } = sorted(status);
  return h("div", { class: "checks", data: { testid: "checks" } },
    refused.length > 0 && h("ol", { class: "refused" }, refused.map(refusedCheck)),
    passed.length > 0 && h("details", { data: { testid: "passed" } }, h("summary", {}, refused.length > 0 ? `${passed.length} checks passed` : summary(status)),
      h("ul", { class: "passed" }, passed.map((one) => h("li", {}, checkName(one))))),
    status.warnings?.length > 0 && h("ul", { class: "warnings", "aria-label": "Warnings" }, status.warnings.map(caution)));
}

function refusedCheck(one) {
  return h("li", { data: { testid: "refused-check", code: one.code } },
    h("h3", {}, h("span", { class: "quiet" }, `${checkName(one)}: `), shortRefusal(one)),
    messageWords(one) && h("p", {}, messageWords(one)),
    one.fix && h("p", {}, fixWords(one)),
    one.fixCommand && command(one.fixCommand));
}

function caution({ code, message, fix, fixCommand }) {
  return h("li", { data: { testid: "caution", code } }, h("p", {}, message, fix && h("span", { class: "quiet" }, ` ${fix}`)), fixCommand && command(fixCommand));
}

/** Makes the view of one refusal from its envelope. */
export function refusalBody(refusal) {
  return [...refusalReasons(refusal), refusalName(refusal)];
}

export function refusalReasons(refusal) {
  const fix = panelFix(refusal);
  return [
    messageWords(refusal) && h("p", {}, messageWords(refusal)),
    fix && h("p", {}, fix),
    refusal.fixCommand && command(refusal.fixCommand),
    refusal.details?.length > 0 && h("ul", {}, refusal.details.map((other) => h("li", {}, messageWords(other)))),
  ].filter(Boolean);
}

/** The correlation id to quote to support. */
export function refusalName({ code, correlationId }) {
  return h("p", { class: "quiet code" }, [code, correlationId].filter(Boolean).join(" · "));
}
