/** What a screen reader is told of a page that is drawn again all the time: each thing once, when it changes. */

import { announce } from "./dom.js";

export class Speaker {
  #said = new Map();
  #tell;

  /** `tell(words)` says them; the page's live region, if left out. */
  constructor(tell = announce) {
    this.#tell = tell;
  }

  /** `{name: words}`: what is new is said together; a thing without words is not there. */
  hear(things) {
    const fresh = Object.entries(things).filter(([name, words]) => words && words !== this.#said.get(name));
    for (const [name, words] of Object.entries(things)) this.#said.set(name, words);
    if (fresh.length > 0) this.#tell(fresh.map(([, words]) => words).join(". "));
  }
}
