// Answers on the two control links: $cbs, where clients put tokens that are not looked at, and $management, where they
// ask about hubs and partitions.

import types from 'rhea/lib/types.js';
import { decodeMessage } from './rhea_patches.js';

const STRING8 = 0xa1;

export const isControl = (address) => address === '$cbs' || address === '$management';

/** The response to a request message, ready to be sent. */
export function answer(address, raw, namespace) {
  const request = decodeMessage(raw);
  const asked = request.application_properties ?? {};
  const { code, text, body } = address === '$cbs' ? { code: 202, text: 'Accepted' } : describe(asked, namespace);
  return {
    correlation_id: request.message_id,
    application_properties: { 'status-code': types.wrap_int(code), 'status-description': text },
    body: body ?? null,
  };
}

function describe(asked, namespace) {
  const hub = namespace.hub(asked.name);
  const partition = hub?.partition(asked.partition);
  if (hub && asked.type === 'com.microsoft:eventhub') return { code: 200, text: 'OK', body: describeHub(hub) };
  if (partition && asked.type === 'com.microsoft:partition') {
    return { code: 200, text: 'OK', body: describePartition(hub, partition) };
  }
  return { code: 404, text: `The messaging entity '${asked.name}/${asked.partition}' could not be found.` };
}

function describeHub(hub) {
  return types.wrap_map({
    name: hub.name,
    type: 'com.microsoft:eventhub',
    created_at: types.wrap_timestamp(hub.created),
    partition_count: types.wrap_int(hub.partitions.length),
    partition_ids: types.wrap_array(hub.partitions.map((partition) => partition.id), STRING8),
  });
}

function describePartition(hub, partition) {
  const summary = partition.log.summary();
  return types.wrap_map({
    name: hub.name,
    type: 'com.microsoft:partition',
    partition: partition.id,
    begin_sequence_number: types.wrap_long(summary.begin),
    last_enqueued_sequence_number: types.wrap_long(summary.last),
    last_enqueued_offset: summary.offset,
    last_enqueued_time_utc: types.wrap_timestamp(summary.time),
    is_partition_empty: summary.empty,
  });
}
