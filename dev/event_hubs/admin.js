// The admin port, for tests and the curious: HTTP and JSON on loopback. Every request is answered with the state.
//
//   GET  /            hubs, partitions, last sequence numbers, readers, counts of sends, pending faults
//   POST /faults      what the next sends meet:
//                       {"send": {"count": 2, "reject": "com.microsoft:server-busy"}}   refused, not stored
//                       {"send": {"count": 1, "drop": true}}      stored, the connection broken, no acknowledgement
//                       {"send": {"count": 1, "delay_ms": 500}}   stored, acknowledged late
//                       {"send": {"count": 9, "partition": "1", "delay_ms": 500}}       of this partition alone
//                       {"send": {"count": 0}}                    nothing: calls off what is pending
//   POST /disconnect  breaks every connection
//   POST /detach      sends every reader away, with an error that clients recover from

import http from 'node:http';
import { BadFault } from './faults.js';

const MOST_BYTES = 64 << 10;

class InvalidRequest extends Error {}

export class Admin {
  constructor(broker, namespace, faults) {
    Object.assign(this, { broker, namespace, faults });
    this.posts = {
      '/faults': (text) => faults.order(parsed(text)),
      '/disconnect': () => broker.disconnect(),
      '/detach': () => broker.detach(),
    };
  }

  /** The listening server; the caller waits for 'listening' or 'error'. */
  listen(port, host) {
    return http.createServer((request, response) => this.#handle(request, response)).listen(port, host);
  }

  async #handle(request, response) {
    try {
      const known = request.method === 'GET' ? request.url === '/' : this.posts[request.url];
      if (request.method !== 'GET' && request.method !== 'POST') return reply(response, 405, { error: 'GET or POST' });
      if (!known) return reply(response, 404, { error: `there is no ${request.method} ${request.url}` });
      if (request.method === 'POST') known(await body(request));
      return reply(response, 200, this.state());
    } catch (error) {
      if (request.errored) return undefined; // the client went away
      if (!(error instanceof InvalidRequest || error instanceof BadFault)) throw error;
      return reply(response, 400, { error: error.message });
    }
  }

  state() {
    const hubs = this.namespace.hubs().map((hub) => [hub.name, hub.partitions.map(describe)]);
    return {
      ...this.broker.stats,
      connections: this.broker.connectionCount,
      memory: process.memoryUsage().rss,
      faults: this.faults.pending(),
      hubs: Object.fromEntries(hubs),
    };
  }
}

function describe({ id, log, readers }) {
  return {
    id,
    ...log.summary(),
    log: { bytes: log.bytes, segments: log.segmentCount },
    readers: [...readers].map(({ group, level, next }) => ({ group, epoch: level, next })),
  };
}

async function body(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MOST_BYTES) throw new InvalidRequest('the body is too long');
  }
  return text;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidRequest(`not JSON: ${error.message}`);
  }
}

function reply(response, status, content) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(content)}\n`);
}
