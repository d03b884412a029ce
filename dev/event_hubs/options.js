// The command line.

import { parseArgs } from 'node:util';
import { MIB } from './partition_log.js';

export const USAGE = `usage: node main.js --port P --admin A --hub NAME:PARTITIONS [--hub ...] [--data DIR]

A local stand-in for Azure Event Hubs: AMQP 1.0 on 127.0.0.1, no TLS, no authentication.
Prints 'ready' once both ports listen.

  --port P                AMQP, for the SDKs (connection string with UseDevelopmentEmulator=true)
  --admin A               HTTP: state and faults, see admin.js
  --hub NAME:PARTITIONS   a hub; may be repeated
  --group NAME            a consumer group beside $Default; may be repeated; without it every name is admitted
  --data DIR              keep events here over restarts; without it they live in memory
  --segment-bytes N       size at which a log file is followed by the next (16 MiB)
  --retention-bytes N     what each partition surely keeps; older files go (256 MiB)
  --help                  this text
`;

/** What is wrong with the command line, in a sentence. */
export class BadArguments extends Error {}

const SPEC = {
  port: { type: 'string' },
  admin: { type: 'string' },
  hub: { type: 'string', multiple: true, default: [] },
  group: { type: 'string', multiple: true },
  data: { type: 'string' },
  'segment-bytes': { type: 'string', default: String(16 * MIB) },
  'retention-bytes': { type: 'string', default: String(256 * MIB) },
  help: { type: 'boolean', default: false },
};

/** {help: true}, or all that main needs. Throws BadArguments. */
export function parse(argv) {
  const values = read(argv);
  if (values.help) return { help: true };
  const [port, admin] = [number(values, 'port', 65535), number(values, 'admin', 65535)];
  if (port === admin) throw new BadArguments('--port and --admin must differ');
  return {
    port,
    admin,
    hubs: hubs(values.hub),
    groups: values.group ? ['$default', ...values.group.map((name) => name.toLowerCase())] : null,
    data: values.data ?? null,
    sizes: { segmentBytes: number(values, 'segment-bytes'), retentionBytes: number(values, 'retention-bytes') },
  };
}

function read(argv) {
  try {
    return parseArgs({ args: argv, options: SPEC }).values;
  } catch (error) {
    throw new BadArguments(error.message);
  }
}

function number(values, name, most = Number.MAX_SAFE_INTEGER) {
  const text = values[name];
  if (text === undefined) throw new BadArguments(`--${name} is missing`);
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most) {
    throw new BadArguments(`--${name} ${text}: a whole number from 1 to ${most} is expected`);
  }
  return value;
}

function hubs(texts) {
  if (!texts.length) throw new BadArguments('--hub is missing');
  const found = texts.map((text) => {
    const [, name, count] = /^([A-Za-z0-9][\w.-]*):([1-9]\d?)$/.exec(text) ?? [];
    if (!name) throw new BadArguments(`--hub ${text}: NAME:PARTITIONS is expected, with 1 to 99 partitions`);
    return { name, partitions: Number(count) };
  });
  const names = found.map(({ name }) => name.toLowerCase());
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new BadArguments(`--hub ${twice} is named twice`);
  return found;
}
