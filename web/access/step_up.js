/**
 * Stronger sign-ins of this tab. One that was just done and is asked for again did not help: whoever did it is told so,
 * and not sent round in a circle.
 */

const PLACE = "serial-console.step-up";
const JUST_MILLISECONDS = 300_000;

export class StepUp {
  #store;
  #now;

  /** `store` is a Storage; `now` tells milliseconds. */
  constructor(store, now = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Somebody leaves from this address (its hash) to sign in with these claims. */
  leave(claims, address) {
    this.#keep({ claims, address });
  }

  /** They came back with what they went for. */
  arrive() {
    const kept = this.#kept;
    if (kept) this.#keep({ ...kept, done: this.#now() });
  }

  /** They came back without it, or somebody else signs in. Answers the address they left from, or null. */
  forget() {
    const address = this.#kept?.address ?? null;
    this.#store.removeItem(PLACE);
    return address;
  }

  /** Whether just these claims were what the last sign-in was for. */
  justDone(claims) {
    const { claims: known, done } = this.#kept ?? {};
    return known === claims && done !== undefined && this.#now() - done < JUST_MILLISECONDS;
  }

  get #kept() {
    return JSON.parse(this.#store.getItem(PLACE));
  }

  #keep(record) {
    this.#store.setItem(PLACE, JSON.stringify(record));
  }
}
