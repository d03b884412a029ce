/**
 * Addresses inside the page: `#/` is the list, `#/console/<resource id>` one console, `#/approvals` requests for approval,
 * `#/recordings/<resource id>` what was recorded of a VM, with `?id=` one recording, `&offset=` a place in it, `&q=` what was looked for.
 */

const CONSOLE = "#/console";
const RECORDINGS = "#/recordings";
export const APPROVALS = "#/approvals";
const VM = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Compute\/(virtualMachines\/[^/]+|virtualMachineScaleSets\/[^/]+\/virtualMachines\/[^/]+)$/i;

/** Returns `{vm}` for a console, `{vm: null}` for the list and for an unknown address. */
export function readRoute(hash) {
  if (hash === APPROVALS) return { vm: null, approvals: true };
  if (hash.startsWith(`${RECORDINGS}/`)) return readRecordingsRoute(hash.slice(RECORDINGS.length));
  if (!hash.startsWith(`${CONSOLE}/`)) return { vm: null };
  const vm = decode(hash.slice(CONSOLE.length)).replace(/\/+$/, "");
  return { vm: VM.test(vm) ? vm : null };
}

function readRecordingsRoute(rest) {
  const [path, query] = rest.split("?");
  const vm = decode(path).replace(/\/+$/, "");
  if (!VM.test(vm)) return { vm: null };
  const place = new URLSearchParams(query);
  const offset = /^\d{1,15}$/.test(place.get("offset") ?? "") ? Number(place.get("offset")) : null;
  return { vm, recordings: true, id: place.get("id"), offset, words: place.get("q") };
}

export const consoleRoute = (vm) => CONSOLE + vm;

/** `{id, offset, q}` are all optional. */
export function recordingsRoute(vm, place = {}) {
  const query = new URLSearchParams(Object.entries(place).filter(([, value]) => value !== null && value !== undefined));
  return RECORDINGS + vm + (query.size ? `?${query}` : "");
}

/** Returns the resource id for use in a path, with every segment encoded so that no name can change the path. */
export function pathOf(vm) {
  return vm.split("/").map(encodeURIComponent).join("/");
}

/** Returns `{name, group}` for display; a scale-set instance is `set / 3`. */
export function nameOf(vm) {
  const parts = vm.split("/");
  const name = /virtualMachineScaleSets/i.test(vm) ? `${parts.at(-3)} / ${parts.at(-1)}` : parts.at(-1);
  return { name, group: parts[4] };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
