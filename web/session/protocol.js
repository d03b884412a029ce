/**
 * The protocol with the relay (docs/protocol.md): frames, close codes in words, one WebSocket.
 *
 * Frames are read and written by pure functions; `Wire` is the only place that touches a socket.
 */

export const PROTOCOL = "serial-console.v1";
const TOKEN_PREFIX = "serial-console.token.";
/** Longest binary frame the relay takes, in bytes. */
export const MAX_TYPED_FRAME = 64 * 1024;
const OFFSET_BYTES = 8;
const NEVER_OPENED = 1006;

/**
 * The meaning of each close code for the person.
 * `again`: "now" and "later" reconnect by themselves, "choice" waits for the person.
 */
export const CLOSES = {
  1000: close("Goodbye", "choice", "You disconnected", "Connect again whenever you like."),
  4001: close("SessionSuperseded", "choice", "Another user took the console", "Watch, or take the console back."),
  4002: close("IdleTimeout", "choice", "Ended because nothing was typed for the time allowed", "Connect again to go on; the VM kept running."),
  4003: close("SessionExpired", "choice", "Ended at the longest time a session may last", "Connect again to start a new session."),
  4004: close("AccessRevoked", "choice", "Ended because your right to this console was withdrawn", "Ask an owner of the VM for the role Virtual Machine Contributor."),
  4005: close("VmStopped", "choice", "Ended because the VM stopped", "Start the VM, then connect again."),
  4006: close("ConsoleFault", "later", "The connection to the VM's serial port was lost", "It is tried again by itself; most such faults pass."),
  4007: close("AuditUnavailable", "later", "Closed because the audit trail cannot be written", "Nothing is lost; it is tried again by itself."),
  4008: close("SessionEnded", "choice", "The session was ended by an administrator or by you elsewhere", "Connect again if you still need the console."),
  4009: close("RelayDraining", "now", "The relay is being replaced", "The console comes back by itself."),
  4010: close("ExternalTakeover", "choice", "The serial port was taken from outside this service, for example in the Azure portal", "Connect again to take it back."),
  4011: close("SlowConsumer", "now", "Your connection takes less than the VM prints", "The console comes back by itself and goes on where it stopped."),
  4012: close("ConsoleDisabled", "choice", "The console was switched off here", "Ask who set the policy, or see the VM's checks for what to mend."),
  4400: close("InvalidRequest", "choice", "The relay refused what this page sent", "Reload the page; if it happens again, report it with the time."),
  4401: close("TokenExpired", "later", "The relay did not accept the session token", "A new one is requested by itself."),
};
const ENDED = close("SessionEnded", "choice", "The session was ended", "Connect again if you still need the console.");
const LOST = close("ConnectionLost", "later", "Connection lost", "It is tried again by itself.");

function close(code, again, words, fix) {
  return Object.freeze({ code, again, words, fix });
}

/** Returns the entry of a close code; any other code (1001, 1006, 1011 ...) is a lost connection. */
export function closeWords(code) {
  return CLOSES[code] ?? (code >= 4000 && code < 5000 ? ENDED : LOST);
}

/** Parses a printed frame: the offset of its first byte in the epoch, and the bytes. Throws RangeError. */
export function readPrinted(buffer) {
  if (buffer.byteLength < OFFSET_BYTES) throw new RangeError("a printed frame begins with eight bytes of offset");
  const offset = Number(new DataView(buffer).getBigUint64(0));
  return { offset, bytes: new Uint8Array(buffer, OFFSET_BYTES) };
}

/** Parses a text frame into an event. Throws SyntaxError if it is not a JSON object with a `type`. */
export function readSaid(text) {
  const frame = JSON.parse(text);
  if (typeof frame?.type !== "string") throw new SyntaxError("a text frame is a JSON object with a type");
  return frame;
}

export function answerFrame(ask, allow) {
  return JSON.stringify({ type: "answer", ask, allow });
}

/** Returns the address to dial; `resume` is null, or the epoch and the offset of the next byte. */
export function dialAddress(relay, resume) {
  const base = `${relay.replace(/\/+$/, "")}/v1/console`;
  return resume ? `${base}?epoch=${encodeURIComponent(resume.epoch)}&offset=${resume.offset}` : base;
}

/** Returns the subprotocols. The token is one of them, so that it never appears in an address or an access log. */
export function subprotocols(token) {
  return [PROTOCOL, TOKEN_PREFIX + token];
}

/** Cuts typed bytes into frames that the relay accepts. */
export function* typedFrames(bytes) {
  for (let at = 0; at < bytes.length; at += MAX_TYPED_FRAME) yield bytes.subarray(at, at + MAX_TYPED_FRAME);
}

/** One connection. `tell(event)` receives frames as events, last of all exactly one `closed`. */
export class Wire {
  #socket;
  #tell;

  constructor({ relay, token, resume }, tell, Socket = globalThis.WebSocket) {
    this.#tell = tell;
    this.#socket = new Socket(dialAddress(relay, resume), subprotocols(token));
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = ({ data }) => this.#read(data);
    this.#socket.onclose = ({ code, reason }) => this.#end(code, reason);
  }

  /** Bytes that are handed over and not yet sent; a paste waits for them. */
  get waiting() {
    return this.#socket.bufferedAmount;
  }

  send(bytes) {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    for (const frame of typedFrames(bytes)) this.#socket.send(frame);
  }

  say(text) {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(text);
  }

  /** Closes the connection; later frames are ignored. */
  hangUp() {
    this.#tell = () => {};
    this.#socket.close(1000);
  }

  /** Drops a dead connection without waiting for the relay's close. */
  abandon() {
    this.#end(NEVER_OPENED, "");
    this.hangUp();
  }

  #read(data) {
    try {
      this.#tell(typeof data === "string" ? readSaid(data) : { type: "printed", ...readPrinted(data) });
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
      this.#end(NEVER_OPENED, "");
      this.hangUp();
    }
  }

  #end(code, reason) {
    const tell = this.#tell;
    this.#tell = () => {};
    tell({ type: "closed", code, reason });
  }
}
