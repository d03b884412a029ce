/**
 * Stronger sign-ins of this tab. If the service demands one again right after it was done, it did not help: the page says
 * so instead of redirecting again.
 */

const PLACE = "serial-console.step-up";
const JUST_MILLISECONDS = 300_000;

export class StepUp {
  #store;
  #now;

  /** `store` is a Storage; `now` returns milliseconds. */
  constructor(store, now = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Notes that the person leaves this address (its hash) to sign in with these claims. */
  leave(claims, address) {
    this.#save({ claims, address });
  }

  /** Notes that the sign-in succeeded. */
  arrive() {
    const record = this.#record;
    if (record) this.#save({ ...record, done: this.#now() });
  }

  /** Forgets a sign-in that failed or was somebody else's. Returns the address they left from, or null. */
  forget() {
    const address = this.#record?.address ?? null;
    this.#store.removeItem(PLACE);
    return address;
  }

  /** Returns whether the last sign-in was made for these claims within the last five minutes. */
  justDone(claims) {
    const { claims: lastClaims, done } = this.#record ?? {};
    return lastClaims === claims && done !== undefined && this.#now() - done < JUST_MILLISECONDS;
  }

  get #record() {
    return JSON.parse(this.#store.getItem(PLACE));
  }

  #save(record) {
    this.#store.setItem(PLACE, JSON.stringify(record));
  }
}
