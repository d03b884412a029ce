// What must change in rhea 3.0.5 before Azure's SDKs can talk to it. It has no hooks for these, so its internals are
// replaced: package.json pins the exact version. Importing this module applies the changes.

import Connection from 'rhea/lib/connection.js';
import frames from 'rhea/lib/frames.js';
import message from 'rhea/lib/message.js';
import types from 'rhea/lib/types.js';

/** Decodes a message; for requests only. */
export const decodeMessage = message.decode;

// rhea decodes messages as they arrive; events must stay bytes, or their types are lost.
message.decode = (raw) => raw;

// Lists may be cut short after their last set field, and rhea does so; the Python SDK reads fields by position.
const FIELD_COUNTS = {
  open: 10, begin: 8, attach: 14, flow: 11, transfer: 11, disposition: 6, detach: 3, end: 1, close: 1,
};
for (const [name, count] of Object.entries(FIELD_COUNTS)) {
  const create = frames[name];
  frames[name] = (fields) => {
    const frame = create(name === 'begin' ? { handle_max: 0xffffffff, ...fields } : fields);
    for (let i = 0; i < count; i++) frame.value[i] ??= types.Null();
    return frame;
  };
}

// The Python SDK still detaches links of a session it has ended, which rhea takes for a broken peer.
for (const name of ['on_detach', 'on_flow', 'on_disposition', 'on_transfer', 'on_end']) {
  const handle = Connection.prototype[name];
  Connection.prototype[name] = function onLiveSession(frame) {
    if (this.remote_channel_map[frame.channel]) handle.call(this, frame);
  };
}
