/** What this tab remembers of one person's console and forgets when it is closed: the reason given, the approval asked for. */

const PREFIX = "serial-console.tab";

export class TabMemory {
  #place;
  #store;

  /** `store` is a Storage; null where the browser keeps none. */
  constructor(person, vm, store = storage()) {
    this.#place = `${PREFIX}:${person}:${vm.toLowerCase()}`;
    this.#store = store;
  }

  /** What was kept under this name, or null. */
  recall(name) {
    return this.#store?.getItem(`${this.#place}:${name}`) ?? null;
  }

  keep(name, value) {
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
    return null; // switched off: the reason is then asked for each time
  }
}
