#!/usr/bin/env node
// A local stand-in for Azure Event Hubs: AMQP 1.0 without TLS on loopback, for the real SDKs. See options.js for the
// command line and admin.js for state and faults.
//
//   options         the command line
//   broker          connections and links (AMQP by rhea, changed by rhea_patches)
//   management      answers about hubs and partitions
//   namespace       hubs, partitions, addresses, start positions
//   readers         who reads a partition, and handing events over
//   partition_log   a partition's events and its retention; segment: one file of them (crc32 beside it)
//   partition_hash  from a key to a partition
//   events          an event taken out of a transfer and stamped; amqp_bytes: AMQP values as bytes
//   admin, faults   state, and faults to order

import { once } from 'node:events';
import { Admin } from './admin.js';
import { Broker } from './broker.js';
import { Faults } from './faults.js';
import { Namespace } from './namespace.js';
import { BadArguments, USAGE, parse } from './options.js';

const HOST = '127.0.0.1'; // nothing here is authenticated
const FAREWELL = 500; // ms for clients to take what is already written

const WARNING = `
*** This is a LOCAL STAND-IN for Azure Event Hubs: for development and tests only.
*** No TLS, no authentication, loopback only. Nothing here leaves this machine.
`;

async function run(options) {
  console.error(WARNING);
  const faults = new Faults();
  const namespace = new Namespace(options.groups);
  const broker = new Broker(namespace, faults);
  // Ports first: a second start must not touch the files of the first. No client is heard before this function is
  // through, because reading the files does not wait for anything.
  const admin = await listening(new Admin(broker, namespace, faults).listen(options.admin, HOST), options.admin);
  const amqp = await listening(broker.listen(options.port, HOST), options.port);
  openLogs(namespace, options);
  const stop = () => shutDown([admin, amqp], broker, namespace);
  process.once('SIGTERM', stop).once('SIGINT', stop);
  console.log('ready');
}

async function listening(server, port) {
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    const taken = error.code === 'EADDRINUSE';
    const why = taken ? 'is taken: something else listens there' : `cannot be used: ${error.message}`;
    return fail(`port ${port} on ${HOST} ${why}`, 1);
  }
}

function openLogs(namespace, { hubs, data, sizes }) {
  try {
    namespace.open(hubs, data, sizes);
  } catch (error) {
    if (!error.syscall) throw error;
    fail(`--data ${data} cannot be used: ${error.message}`, 1);
  }
}

function shutDown(servers, broker, namespace) {
  for (const server of servers) server.close();
  const leave = () => {
    namespace.close(); // last: until here events are still taken and acknowledged
    process.exit(0);
  };
  setTimeout(leave, FAREWELL);
  broker.end(leave);
}

function fail(message, status) {
  console.error(`event hubs stand-in: ${message}`);
  process.exit(status);
}

function main(argv) {
  try {
    const options = parse(argv);
    if (!options.help) return run(options);
    console.log(USAGE);
  } catch (error) {
    if (!(error instanceof BadArguments)) throw error;
    fail(`${error.message} (see --help)`, 2);
  }
}

await main(process.argv.slice(2));
