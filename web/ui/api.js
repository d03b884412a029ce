/**
 * Calls to the function app. Every failure is an ApiError. A claims challenge is answered once automatically. Answers of
 * a host that is busy or replaces its worker are retried if that is safe.
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

  /** `wait(milliseconds)` waits between two tries; by default with a timer. */
  constructor(auth, fetch = globalThis.fetch.bind(globalThis), wait = undefined) {
    this.#auth = auth;
    this.#fetch = fetch;
    this.#wait = wait;
  }

  /** Returns every VM that the person may read (`value`), and subscriptions that could not be queried (`unasked`). */
  async consoles() {
    const pages = await readPages(this, "/consoles");
    const unasked = new Map(pages.flatMap((page) => page.unasked).map((each) => [each.subscription, each]));
    return { value: valueOf(pages), unasked: [...unasked.values()] };
  }

  /** Returns every check of one VM, and who has its console. */
  status(vm) {
    return this.#json("GET", `${vm}/serialConsole`);
  }

  /** Opens a session; `signal` aborts the wait (a takeover by `ask` may take half a minute). */
  openSession(vm, body, signal) {
    return this.#json("POST", `${vm}/serialConsole/sessions`, body, signal);
  }

  /** Ends the person's own session; `keepalive` lets the request outlive the page. */
  endSession(vm, id) {
    return this.#call("DELETE", `${vm}/serialConsole/sessions/${encodeURIComponent(id)}`, { keepalive: true });
  }

  /** Downloads everything that is still archived, piece by piece; an empty piece is the end. `read(bytes)` gets the count so far. */
  async transcript(vm, read = () => {}) {
    const pieces = [];
    let bytes = 0;
    for (let offset = 0; ; ) {
      const answer = await this.#call("GET", `${vm}/serialConsole/transcript?format=raw&offset=${offset}`);
      const piece = await answer.blob();
      if (piece.size === 0) return new Blob(pieces);
      pieces.push(piece);
      read((bytes += piece.size));
      // Retention may have dropped pieces, so the next offset can exceed the sum of the received bytes.
      offset = Number(answer.headers.get(NEXT_OFFSET) ?? offset + piece.size);
    }
  }

  /** Makes any other call (access/access_api.js names them). Returns its answer, or null for an empty one. Throws ApiError. */
  async ask(method, path, body, signal) {
    const options = { signal, ...(body && { body: JSON.stringify(body) }) };
    const answer = await this.#call(method, path, options);
    return answer.status === 204 ? null : answer.json();
  }

  /** Makes a call whose answer is not JSON. Throws ApiError. */
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

/** Reads the configuration for signing in; the only call without a token. */
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
