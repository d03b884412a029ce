// Faults to come, as ordered through the admin port: the next `count` sends are refused, stored but never
// acknowledged, or acknowledged late.

export class BadFault extends Error {}

const KINDS = {
  reject: (value) => typeof value === 'string' && /^[\w:.-]+$/.test(value),
  drop: (value) => value === true,
  delay_ms: (value) => Number.isFinite(value) && value >= 0,
};

export class Faults {
  #send = null;

  /** {"send": {"count": n, one of reject, drop, delay_ms}}, also for one "partition"; a count of 0 calls it off.
   *  Throws BadFault. */
  order(wanted) {
    const { send, ...others } = wanted ?? {};
    const [unknown] = Object.keys(others);
    if (unknown) throw new BadFault(`there is no fault '${unknown}', only 'send'`);
    if (send === undefined) throw new BadFault("'send' is missing");
    this.#send = checked(send);
  }

  /** What happens to this partition's next send: {reject}, {drop}, {delay_ms}, or {} for nothing. */
  takeForSend(partition) {
    if (!this.#send?.count || partition !== (this.#send.partition ?? partition)) return {};
    this.#send.count--;
    return this.#send;
  }

  /** What is still to come. */
  pending() { return this.#send?.count ? { send: this.#send } : {}; }
}

function checked(send) {
  const { count, partition, ...kinds } = send ?? {};
  if (!Number.isInteger(count) || count < 0) throw new BadFault("'count' must be 0 or a positive whole number");
  if (partition !== undefined && typeof partition !== 'string') throw new BadFault("'partition' must be text");
  const named = Object.entries(kinds);
  for (const [kind, value] of named) {
    if (!KINDS[kind]?.(value)) throw new BadFault(`'${kind}' is unknown or has a bad value`);
  }
  if (count > 0 && named.length !== 1) throw new BadFault("name one of 'reject', 'drop' and 'delay_ms'");
  return { count, ...(partition === undefined ? {} : { partition }), ...kinds };
}
