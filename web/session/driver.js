/** Carries out the actions of the session's state machine (session/session.js): requests, the socket, timers. */

import { ApiError } from "../ui/api_error.js";
import { withReason } from "../access/reason.js";
import { advance, begin } from "./session.js";
import { answerFrame, Wire } from "./protocol.js";

/**
 * A console of one VM. `screen` has show(bytes, replayed) and note(text); `changed(state)` is called after every event,
 * `acted({act, by})` when somebody did something to the VM. `reasonSource(signal)` gives the reason that a policy demands (access/reason.js).
 */
export class Driver {
  #api;
  #vm;
  #screen;
  #changed;
  #acted;
  #reasonSource;
  #state = begin();
  #wire = null;
  #timer = 0;
  #asking = null;

  constructor({ api, vm, screen, changed, acted, reasonSource }) {
    this.#api = api;
    this.#vm = vm;
    this.#screen = screen;
    this.#changed = changed;
    this.#acted = acted;
    this.#reasonSource = reasonSource;
  }

  get state() {
    return this.#state;
  }

  /** Typed bytes that are not yet sent. */
  get waiting() {
    return this.#wire?.waiting ?? 0;
  }

  tell(event) {
    const { state, actions } = advance(this.#state, { now: Date.now(), chance: Math.random(), ...event });
    this.#state = state;
    for (const action of actions) this.#carryOut(action);
    this.#changed(this.#state);
  }

  /** Ends the session without showing anything, because the view is being removed. */
  dispose() {
    this.#changed = () => {};
    const { id, phase } = this.#state;
    this.#hangUp();
    this.#giveUp();
    if (id && phase !== "ended" && phase !== "displaced") this.#end(id);
  }

  /** Retries at once, because the network is back. */
  hurry() {
    if (this.#state.phase === "waiting") this.tell({ type: "retry" });
  }

  #carryOut(action) {
    switch (action.do) {
      case "request": return void this.#request(action);
      case "dial": return this.#dial(action);
      case "hangUp": return this.#hangUp();
      case "giveUp": return this.#giveUp();
      case "end": return this.#end(action.id);
      case "wait": return this.#wait(action);
      case "show": return this.#screen.show(action.bytes, action.replayed);
      case "note": return this.#screen.note(action.text);
      case "acted": return this.#acted(action);
      case "send": return this.#wire.send(action.bytes);
      case "say": return this.#wire.say(answerFrame(action.ask, action.allow));
      default: throw new TypeError(`no such action: ${action.do}`);
    }
  }

  async #request({ turn, mode, takeover }) {
    this.#giveUp();
    const asking = (this.#asking = new AbortController());
    try {
      const answer = await withReason((reason) => {
        const body = { mode, ...(mode !== "watch" && { takeover }), ...(reason && { reason }) };
        return this.#api.openSession(this.#vm, body, asking.signal);
      }, this.#reasonSource(asking.signal));
      if (asking.signal.aborted || turn !== this.#state.turn) return this.#end(answer.id);
      this.tell({ type: "granted", turn, answer });
    } catch (error) {
      if (asking.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.tell({ type: "refused", turn, error, holder: await this.#holder(error) });
    }
  }

  /** Reads who has the console; the refusal has the name only in a sentence. Undefined if it may not be read or is unknown. */
  async #holder(error) {
    if (error.code !== "ConsoleInUse" && error.code !== "TakeoverRefused") return undefined;
    const status = await this.#api.status(this.#vm).catch(() => null);
    return status?.rights?.includes("watch") ? status.console?.writer : undefined;
  }

  #dial({ dial, relay, token, resume }) {
    this.#wire = new Wire({ relay, token, resume }, (event) => this.tell({ ...event, dial }));
  }

  #hangUp() {
    this.#wire?.hangUp();
    this.#wire = null;
  }

  #giveUp() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }

  #wait({ turn, milliseconds }) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.tell({ type: "retry", turn }), milliseconds);
  }

  /** Ends the session, best effort: if the call fails, the relay ends it seconds later. */
  #end(id) {
    this.#api.endSession(this.#vm, id).catch(() => {});
  }
}
