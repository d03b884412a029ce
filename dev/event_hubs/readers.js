// Who reads a partition, and handing them its events as fast as they give credit.

import { withLastEnqueued } from './events.js';
import { Refusal } from './refusal.js';

const MOST_PLAIN_READERS = 5; // of one partition in one consumer group, as in the service
const TURN = 1000; // events handed over before others get a turn
const MOST_UNSENT = 8 << 20; // bytes in a socket's buffer before a reader waits for it to drain
const TAG = Buffer.from([0]); // deliveries are settled as they are sent, so one tag serves them all

/** Admits a reader beside the others, or in place of those with a lower owner level. Throws Refusal. */
export function admit(partition, group, level) {
  const peers = [...partition.readers].filter((reader) => reader.group.toLowerCase() === group.toLowerCase());
  const owner = peers.find((reader) => reader.level !== null);
  if (owner && (level === null || level < owner.level)) {
    throw new Refusal('amqp:link:stolen', `Receiver with epoch '${level}' can not be created: `
      + `a receiver with the higher epoch '${owner.level}' exists.`);
  }
  if (level !== null) {
    const reason = `New receiver with higher epoch of '${level}' is created.`;
    for (const reader of peers) reader.evict('amqp:link:stolen', reason);
  } else if (peers.length >= MOST_PLAIN_READERS) {
    throw new Refusal('amqp:resource-limit-exceeded', 'Exceeded the maximum number of allowed receivers per partition '
      + `in a consumer group which is ${MOST_PLAIN_READERS}.`);
  }
}

/** One receiving client. `level` is its owner level ("epoch"), null for a plain reader. */
export class Reader {
  #link;
  #partition;
  #tellsLast;
  #queued = 0; // handed to rhea, since the link was attached
  #waking = false;

  constructor({ link, partition, group, level, next, tellsLast }) {
    Object.assign(this, { group, level, next });
    this.#link = link;
    this.#partition = partition;
    this.#tellsLast = tellsLast;
    partition.readers.add(this);
    link.on('sendable', () => this.wake());
  }

  /** There may be something to hand over. */
  wake() {
    if (this.#waking) return;
    this.#waking = true;
    setImmediate(() => {
      this.#waking = false;
      this.#handOver();
    });
  }

  #handOver() {
    const { log, readers } = this.#partition;
    if (!readers.has(this) || !this.#link.is_open() || this.#awaitsDrain()) return;
    this.next = Math.max(this.next, log.first); // what aged out is passed over
    const end = Math.min(log.next, this.next + Math.min(this.#room(), TURN));
    while (this.next < end) this.#send(log.at(this.next++).data);
    if (this.next < log.next && this.#room() > 0) this.wake();
  }

  #awaitsDrain() {
    const { socket } = this.#link.connection;
    if (socket.writableLength <= MOST_UNSENT) return false;
    socket.once('drain', () => this.wake());
    return true;
  }

  #room() {
    const { credit, delivery_count: delivered, session } = this.#link;
    return Math.max(0, Math.min(credit - (this.#queued - delivered), session.outgoing.available()));
  }

  #send(event) {
    const message = this.#tellsLast ? withLastEnqueued(event, this.#partition.log.summary(), Date.now()) : event;
    this.#link.send(message, TAG, 0).settled = true;
    this.#queued++;
  }

  /** The client is gone. */
  leave() {
    this.#partition.readers.delete(this);
  }

  /** The client is sent away. */
  evict(condition, description) {
    this.leave();
    this.#link.close(new Refusal(condition, description).error);
  }
}
