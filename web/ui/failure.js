/** The view of a page that could not load: the reason, and what to do. */

import { button, h } from "./dom.js";
import { messageWords, shortRefusal } from "../session/refusal_words.js";

const SIGN_IN = new Set(["SignInRequired", "MfaRequired"]);

/** `again()` retries; without it the view says that the page retries by itself. `auth` signs in. */
export function failureView(error, auth, again = null) {
  return h("div", { class: "failure", role: "alert" }, h("h2", {}, shortRefusal(error)), ...sentences(error), wayOut(error, auth, again));
}

function sentences(error) {
  return [messageWords(error), error.fix].filter(Boolean).map((words) => h("p", {}, words));
}

function wayOut(error, auth, again) {
  if (SIGN_IN.has(error.code)) return button("Sign in again", () => auth.signIn({ claims: error.claims }), { class: "primary" });
  if (error.code === "NotFound") return button("Reload the page", () => location.reload(), { class: "primary" });
  return again ? button("Try again", again, { class: "primary" }) : h("p", { class: "quiet" }, "It is tried again by itself.");
}
