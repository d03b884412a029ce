/**
 * Calls to the function app. Every failure is an ApiError; a claims challenge is answered once by itself, and what the
 * host answers while it is busy or replaces its worker is asked again where that is safe.
 */

import { sendAgain } from "./host_answers.js";
import { ApiError } from "./api_error.js";

import { API as BASE } from "../address.js";
import { readPages, valueOf } from "./pages.js";
const NEXT_OFFSET = "x-console-offset-next";

export class Api {
  #auth;
  #fetch;
  #wait;

  /** `wait(milliseconds)` between two tries; the clock's, if left out. */
  constructor(auth, fetch = globalThis.fetch.bind(globalThis), wait = undefined) {
    this.#auth = auth;
    this.#fetch = fetch;
    this.#wait = wait;
  }

  /** Every VM the person may read (`value`), and the subscriptions that could not be asked (`unasked`). */
  async consoles() {
    const pages = await readPages(this, "/consoles");
    const unasked = new Map(pages.flatMap((page) => page.unasked).map((each) => [each.subscription, each]));
    return { value: valueOf(pages), unasked: [...unasked.values()] };
  }

  /** Every check of one VM, and who has its console. */
  status(vm) {
    return this.#json("GET", `${vm}/serialConsole`);
  }

  /** Takes the console; `signal` gives the wait up (an `ask` may take half a minute). */
  openSession(vm, wish, signal) {
    return this.#json("POST", `${vm}/serialConsole/sessions`, wish, signal);
  }

  /** Ends one's own session; `keepalive` lets it outlive the page. */
  endSession(vm, id) {
    return this.#call("DELETE", `${vm}/serialConsole/sessions/${encodeURIComponent(id)}`, { keepalive: true });
  }

  /** Everything that was printed and is still kept: it comes in pieces, an empty one ends it. `read(bytes)` is told how much has come. */
  async transcript(vm, read = () => {}) {
    const pieces = [];
    let bytes = 0;
    for (let offset = 0; ; ) {
      const answer = await this.#call("GET", `${vm}/serialConsole/transcript?format=raw&offset=${offset}`);
      const piece = await answer.blob();
      if (piece.size === 0) return new Blob(pieces);
      pieces.push(piece);
      read((bytes += piece.size));
      // Pieces that the ring has dropped make the next offset more than the sum of what came.
      offset = Number(answer.headers.get(NEXT_OFFSET) ?? offset + piece.size);
    }
  }

  /** Any other call (access/access_api.js has them by name): its answer, or null where it has none. Throws ApiError. */
  async ask(method, path, body, signal) {
    const options = { signal, ...(body && { body: JSON.stringify(body) }) };
    const answer = await this.#call(method, path, options);
    return answer.status === 204 ? null : answer.json();
  }

  /** An answer that is no JSON. Throws ApiError. */
  read(path, signal) {
    return this.#call("GET", path, { signal });
  }

  async #json(method, path, body, signal) {
    const options = { signal, ...(body && { body: JSON.stringify(body) }) };
    return (await this.#call(method, path, options)).json();
  }

  async #call(method, path, options = {}) {
    const answer = await sendAgain(method, () => this.#send(method, path, options), this.#wait);
    if (answer.ok) return answer;
    const error = await refusal(answer);
    if (answer.status !== 401 || !error.claims) throw error;
    const second = await this.#send(method, path, options, error.claims);
    if (second.ok) return second;
    const still = await refusal(second);
    throw second.status === 401 ? ApiError.signInRequired(still.claims ?? error.claims) : still;
  }

  async #send(method, path, options, claims) {
    const headers = {
      Authorization: `Bearer ${await this.#auth.token({ claims })}`,
      "x-ms-correlation-request-id": crypto.randomUUID(),
      ...(options.body && { "Content-Type": "application/json" }),
    };
    try {
      return await this.#fetch(BASE + path, { ...options, method, headers, cache: "no-store" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw ApiError.unreachable();
    }
  }
}

/** What the page needs to sign in; the only call without a token. */
export async function readConfig(fetch = globalThis.fetch.bind(globalThis)) {
  const answer = await fetch(`${BASE}/config`, { cache: "no-store" }).catch(() => {
    throw ApiError.unreachable();
  });
  if (!answer.ok) throw await refusal(answer);
  return answer.json();
}

async function refusal(answer) {
  const body = await answer.json().catch(() => null);
  const error = ApiError.from(answer.status, answer.headers, body);
  return answer.status === 401 && !body ? ApiError.signInRequired(error.claims) : error;
}
