// The AMQP side: takes connections and links, stores what senders transfer, and gives readers their links.

import rhea from 'rhea';
import { DecodeError } from './amqp_bytes.js';
import { unpack } from './events.js';
import { answer, isControl } from './management.js';
import { LogUnwritable } from './partition_log.js';
import { Reader, admit } from './readers.js';
import { Refusal } from './refusal.js';
import './rhea_patches.js';

const MOST_BYTES = 1 << 20; // of one send, as in the service's Standard tier
const SELECTOR = 'apache.org:selector-filter:string';
const LEVEL = 'com.microsoft:epoch';
const TELLS_LAST = 'com.microsoft:enable-receiver-runtime-metric';

const CONNECTION = {
  max_frame_size: 64 << 10,
  channel_max: 8191,
  idle_time_out: 240_000, // ms, as the service has it
  tcp_no_delay: true,
  session_buffer_size: { incoming: 2048, outgoing: 4096 }, // deliveries
  receiver_options: { autoaccept: false, credit_window: 1000, max_message_size: MOST_BYTES },
};

// The socket's end tells all that matters of these; unheard, rhea would make errors of them.
const ENDINGS = [
  'connection_close', 'connection_error', 'disconnected', 'session_error', 'sender_error', 'receiver_error',
];

export class Broker {
  #namespace;
  #faults;
  #connections = new Set();
  stats = { sends: 0, events: 0, bytes: 0 };

  constructor(namespace, faults) {
    this.#namespace = namespace;
    this.#faults = faults;
  }

  /** The listening server; the caller waits for 'listening' or 'error'. */
  listen(port, host) {
    const container = rhea.create_container({ id: 'event-hubs-stand-in' });
    offerMechanisms(container);
    container.on('connection_open', ({ connection }) => this.#welcome(connection));
    container.on('session_close', ({ session }) => leaveAll(session));
    container.on('sender_open', ({ sender }) => refusable(sender, () => this.#openForReading(sender)));
    container.on('sender_close', ({ sender }) => sender.reader?.leave());
    container.on('receiver_open', ({ receiver }) => refusable(receiver, () => this.#openForSending(receiver)));
    container.on('message', (context) => this.#receive(context));
    container.on('error', (error) => console.error('event hubs stand-in: connection dropped:', error));
    container.on('protocol_error', (error) => console.error(`event hubs stand-in: not AMQP 1.0: ${error.message}`));
    for (const ending of ENDINGS) container.on(ending, () => {});
    return container.listen({ ...CONNECTION, port, host });
  }

  #welcome(connection) {
    this.#connections.add(connection);
    connection.socket.once('close', () => {
      this.#connections.delete(connection);
      leaveAll(connection);
    });
  }

  get connectionCount() { return this.#connections.size; }

  /** Breaks every connection, as a network would. */
  disconnect() {
    for (const { socket } of this.#connections) breakOff(socket);
  }

  /** Ends every connection after what is already written; calls `done` once they are gone. */
  end(done) {
    const sockets = [...this.#connections].map((connection) => connection.socket);
    let open = sockets.length;
    if (!open) done();
    for (const socket of sockets) {
      socket.once('close', () => { if (--open === 0) done(); });
      socket.end();
    }
  }

  /** Sends every reader away, as the service does when a partition moves. */
  detach() {
    for (const { readers } of this.#namespace.partitions()) {
      for (const reader of [...readers]) reader.evict('amqp:link:detach-forced', 'injected fault');
    }
  }

  #openForSending(link) {
    const address = link.target?.address;
    if (isControl(address)) link.control = address;
    else link.to = this.#namespace.find(address);
    link.set_source({ address: link.source?.address });
    link.set_target({ address });
  }

  #openForReading(link) {
    const address = link.source?.address;
    if (isControl(address)) link.control = address;
    else link.reader = this.#reader(link, address);
    link.set_source({ address, filter: link.source.filter });
    link.set_target({ address: link.target?.address });
  }

  #reader(link, address) {
    const { group, partition } = this.#namespace.find(address);
    if (!group || !partition) throw new Refusal('amqp:not-found', `'${address}' can not be received from.`);
    const selector = link.source.filter?.[SELECTOR];
    const next = partition.start(selector === undefined ? undefined : String(selector));
    const level = link.properties?.[LEVEL] === undefined ? null : Number(link.properties[LEVEL]);
    admit(partition, group, level);
    const tellsLast = [link.desired_capabilities ?? []].flat().map(String).includes(TELLS_LAST);
    return new Reader({ link, partition, group, level, next, tellsLast });
  }

  #receive({ message: raw, delivery, receiver }) {
    if (receiver.control) return this.#reply(receiver, raw, delivery);
    try {
      this.#acknowledge(this.#store(raw, delivery, receiver.to), delivery, receiver);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      settle(delivery, rhea.message.rejected({ error: error.error }));
    }
  }

  #reply(link, raw, delivery) {
    settle(delivery, rhea.message.accepted());
    const sender = link.session.find_sender((other) => other.control === link.control);
    if (sender) sender.send(answer(link.control, raw, this.#namespace)).settled = true;
  }

  /** Stores what was sent and returns the fault that its acknowledgement meets. Throws Refusal. */
  #store(raw, delivery, { hub, partition }) {
    if (raw.length > MOST_BYTES) {
      throw new Refusal('amqp:link:message-size-exceeded', `The received message (delivery-id:${delivery.id}, `
        + `size:${raw.length} bytes) exceeds the limit (${MOST_BYTES} bytes) currently allowed on the link.`);
    }
    const fault = this.#faults.takeForSend(partition?.id);
    if (fault.reject) throw new Refusal(fault.reject, 'injected fault');
    const { key, events } = unpacked(raw, delivery.format);
    append(partition ?? hub.route(key), events);
    this.stats.sends++;
    this.stats.events += events.length;
    this.stats.bytes += raw.length;
    return fault;
  }

  #acknowledge(fault, delivery, link) {
    if (fault.drop) breakOff(link.connection.socket);
    else if (fault.delay_ms) setTimeout(() => settle(delivery, rhea.message.accepted()), fault.delay_ms);
    else settle(delivery, rhea.message.accepted());
  }
}

// What .NET's client demands (MSSBCBS, of Azure.Messaging.EventHubs 5.12.2) and Python's takes. Both leave the proof to $cbs.
function offerMechanisms(container) {
  const mechanisms = container.sasl_server_mechanisms;
  mechanisms.enable_anonymous();
  mechanisms.MSSBCBS = mechanisms.ANONYMOUS;
}

/**
 * Answers an attach in the settle modes that it asked for: .NET's client numbers what it sends by the mode that comes
 * back (seen with Azure.Messaging.EventHubs 5.12.2), and two settled tokens at once would else bear one tag.
 */
function settleAsAsked(link) {
  const { snd_settle_mode: sender, rcv_settle_mode: receiver } = link.remote.attach;
  if (sender !== undefined) link.local.attach.snd_settle_mode = sender;
  if (receiver !== undefined) link.local.attach.rcv_settle_mode = receiver;
}

/** Ends a delivery at once, also on a link whose receiver asked to settle second: the service keeps no state of it. */
function settle(delivery, outcome) {
  delivery.update(true, outcome.described());
}

function refusable(link, open) {
  settleAsAsked(link);
  try {
    open();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    link.close(error.error);
  }
}

function leaveAll(endpoint) {
  endpoint.each_sender((link) => link.reader?.leave());
}

/** With an error, because only then does rhea stop the connection's timers. */
function breakOff(socket) {
  socket.destroy(new Error('injected fault'));
}

function unpacked(raw, format) {
  try {
    return unpack(raw, format);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new Refusal('amqp:decode-error', error.message);
  }
}

function append(partition, events) {
  try {
    partition.append(events);
  } catch (error) {
    if (!(error instanceof LogUnwritable)) throw error;
    console.error(`event hubs stand-in: ${error.message}`);
    throw new Refusal('com.microsoft:server-busy', error.message);
  }
}
