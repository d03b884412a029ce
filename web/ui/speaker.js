/** Announces changes of an often redrawn page to screen readers: each text once, when it changes. */

import { announce } from "./dom.js";

export class Speaker {
  #announced = new Map();
  #tell;

  /** `tell(words)` announces a text; by default in the page's live region. */
  constructor(tell = announce) {
    this.#tell = tell;
  }

  /** Takes `{name: words}` and announces the changed texts together; empty texts are ignored. */
  hear(things) {
    const fresh = Object.entries(things).filter(([name, words]) => words && words !== this.#announced.get(name));
    for (const [name, words] of Object.entries(things)) this.#announced.set(name, words);
    if (fresh.length > 0) this.#tell(fresh.map(([, words]) => words).join(". "));
  }
}
