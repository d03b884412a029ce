// The hubs, their partitions, and the addresses that links name them by.

import path from 'node:path';
import { BadPosition, PartitionLog } from './partition_log.js';
import { keyHash } from './partition_hash.js';
import { Refusal } from './refusal.js';

// 'hub', 'hub/Partitions/0' or 'hub/ConsumerGroups/group/Partitions/0', after a scheme and host (Python's client) or a
// slash (.NET's: the path of its endpoint, AmqpConnectionScope.cs in azure-sdk-for-net).
const ADDRESS = /^(?:(?:amqps?|sb):\/\/[^/]+\/|\/)?([^/]+)(?:\/ConsumerGroups\/([^/]+))?(?:\/Partitions\/([^/]+))?$/i;
// The value in quotes (Python's client) or bare (.NET's: AmqpFilter.cs in azure-sdk-for-net).
const SELECTOR = /^amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time) (>=?) (?:'([^']*)'|(@?[\w.-]+))$/;
const FIELDS = { offset: 'offset', 'sequence-number': 'sequence', 'enqueued-time': 'time' };

class Partition {
  constructor(id, log) {
    Object.assign(this, { id, log, readers: new Set() });
  }

  append(events) {
    this.log.append(events);
    for (const reader of this.readers) reader.wake();
  }

  /** The sequence number that a reader with this selector filter starts at; without one, the oldest. */
  start(selector) {
    if (selector === undefined) return this.log.first;
    const [, field, operator, quoted, bare] = SELECTOR.exec(selector) ?? [];
    try {
      if (!field) throw new BadPosition(`unsupported selector: ${selector}`);
      return this.log.find(FIELDS[field], operator === '>=', quoted ?? bare);
    } catch (error) {
      if (error instanceof BadPosition) throw new Refusal('amqp:invalid-field', error.message);
      throw error;
    }
  }
}

class Hub {
  #turn = 0;

  constructor(name, partitions) {
    Object.assign(this, { name, partitions, created: Date.now() });
  }

  /** Undefined when there is none of that id. */
  partition(id) { return this.partitions.find((partition) => partition.id === id); }

  /** The partition for a key; without a key, each in turn. */
  route(key) {
    const n = this.partitions.length;
    return this.partitions[key === null ? this.#turn++ % n : Math.abs(keyHash(key) % n)];
  }
}

export class Namespace {
  #hubs = new Map();

  /** `groups`: the consumer groups there are, in lower case; null admits any name. */
  constructor(groups = null) {
    this.groups = groups;
  }

  /** Reads what is on disk. `wanted`: [{name, partitions}]; `data`: a folder or null; `sizes`: see PartitionLog. */
  open(wanted, data, sizes) {
    for (const { name, partitions } of wanted) {
      const folder = (id) => data && path.join(data, name, id);
      const open = (_, i) => new Partition(String(i), new PartitionLog({ folder: folder(String(i)), ...sizes }));
      this.#hubs.set(name.toLowerCase(), new Hub(name, Array.from({ length: partitions }, open)));
    }
  }

  close() {
    for (const { log } of this.partitions()) log.close();
  }

  hubs() { return [...this.#hubs.values()]; }

  /** Undefined when there is none of that name. */
  hub(name) { return this.#hubs.get(String(name).toLowerCase()); }

  * partitions() {
    for (const hub of this.hubs()) yield* hub.partitions;
  }

  /** {hub, group, partition} of an address; the latter two may be undefined. Throws Refusal. */
  find(address) {
    const [, name, group, id] = ADDRESS.exec(address ?? '') ?? [];
    const hub = this.hub(name);
    if (!hub || (group && this.groups && !this.groups.includes(group.toLowerCase()))) {
      throw new Refusal('amqp:not-found', `The messaging entity '${address}' could not be found.`);
    }
    const partition = hub.partition(id);
    if (id !== undefined && !partition) {
      throw new Refusal('com.microsoft:argument-out-of-range', 'The specified partition is invalid for an EventHub '
        + `partition sender or receiver. It should be between 0 and ${hub.partitions.length - 1}.`);
    }
    return { hub, group, partition };
  }
}
