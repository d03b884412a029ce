/** Memory of this tab for one person and one VM, forgotten when the tab is closed: the reason and the requested approval. */

const PREFIX = "serial-console.tab";

export class TabMemory {
  #place;
  #store;

  /** `store` is a Storage; null if the browser has none. */
  constructor(person, vm, store = storage()) {
    this.#place = `${PREFIX}:${person}:${vm.toLowerCase()}`;
    this.#store = store;
  }

  /** Returns the value stored under a name, or null. */
  recall(name) {
    return this.#store?.getItem(`${this.#place}:${name}`) ?? null;
  }

  remember(name, value) {
    this.#store?.setItem(`${this.#place}:${name}`, value);
  }

  forget(name) {
    this.#store?.removeItem(`${this.#place}:${name}`);
  }
}

function storage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null; // disabled: the page then asks for the reason each time
  }
}
