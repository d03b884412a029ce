/** Recordings, sizes, times and verification results in words. Pure. */

const MARKS = { boot: "Boot", panic: "Panic", takeover: "Takeover", reset: "Reset", nmi: "NMI", sysrq: "SysRq", power: "Power", lost: "Connection lost", hole: "Records missing" };
/** Marks that deserve attention. */
const GRAVE = new Set(["panic", "lost", "hole"]);

export const markWords = ({ kind }) => MARKS[kind] ?? kind;
export const isGrave = ({ kind }) => GRAVE.has(kind);

/** `0:07`, `12:05`, `1:02:03`. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** `45 s`, `12 min`, `3 h 5 min`, for display. */
export function lasting(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest ? `${Math.floor(minutes / 60)} h ${rest} min` : `${minutes / 60} h`;
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, by] = bytes < 1_000_000 ? ["kB", 1000] : ["MB", 1_000_000];
  const value = bytes / by;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

export function day(iso) {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
}

/** Formats a time to the second, because several recordings may begin in one minute. */
export function moment(iso) {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
}

/** Returns the seconds from a recording's beginning to its end, or to its last record. */
export function lengthOf({ began, ended, last }) {
  return (Date.parse(ended ?? last) - Date.parse(began)) / 1000;
}

/** Returns `12 min` and the state. A recording whose relay is gone has no end and may lack records that were not sent. */
export function lengthWords(recording) {
  const long = lasting(lengthOf(recording));
  if (recording.state === "interrupted") return `${long}, interrupted`;
  return recording.ended ? long : `${long}, goes on`;
}

/** Returns the explanation of an interruption; null if there is none. */
export function interruptedWords({ state, lastSign, last }) {
  if (state !== "interrupted") return null;
  return `The relay gave its last sign of life on ${moment(lastSign)}. What it recorded after ${moment(last)} and had not sent stands on its disk: it comes when the relay returns with that disk, else it is lost.`;
}

/** `Ada Lovelace, Alan Turing (watched)`; each person once. */
export function whoWords({ people }) {
  const names = new Map();
  for (const { name, mode } of people) names.set(name, names.get(name) === "write" ? "write" : mode);
  const entries = [...names].map(([name, mode]) => (mode === "watch" ? `${name} (watched)` : name));
  return entries.length ? entries.join(", ") : "Nobody was there";
}

/** Counts marks by kind: `[{kind, count, words}]`, grave ones first. */
export function markCounts({ marks }) {
  const counts = new Map();
  for (const { kind } of marks) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const all = [...counts].map(([kind, count]) => ({ kind, count, words: count > 1 ? `${markWords({ kind })} × ${count}` : markWords({ kind }) }));
  return all.sort((one, other) => Number(isGrave(other)) - Number(isGrave(one)));
}

/** Returns a sentence that says how far the archive is behind the relay; null if it is not. */
export function behindWords(archive) {
  if (!archive || archive.state === "current") return null;
  if (archive.state === "unknown") return "Whether more was recorded could not be asked: the relay was not reached, or has recorded nothing of this console since it started.";
  const when = new Date(archive.recorded).toLocaleTimeString(undefined, { timeStyle: "medium", hourCycle: "h23" });
  return `The archive is ${count(archive.records, "record")} behind: the newest was recorded at ${when} and is on its way. Nothing is lost by that; look again in a minute or two.`;
}

/** Combines the parts of a verification, in their order, into one report. */
export function together(parts) {
  const [first, last] = [parts[0], parts.at(-1)];
  return {
    complete: parts.every((part) => part.complete), segments: parts.reduce((sum, part) => sum + part.segments, 0),
    first: first.first, end: last.end, hash: last.hash, signed: parts.findLast((part) => part.signed)?.signed ?? null,
    findings: parts.flatMap((part) => part.findings), archive: last.archive ?? null,
  };
}

/** Returns `{tone, head, behind, more}`: the verdict, what it does not cover (or null), and details. */
export function verdict({ complete, segments, first, end, signed, findings, archive }) {
  const behind = behindWords(archive);
  if (segments === 0) return { tone: "calm", head: "Nothing is archived yet", behind, more: [] };
  const faults = findings.filter((one) => one.fault !== "dropped");
  const head = complete
    ? `Complete: ${size(end - first)} in ${count(segments, "segment")} are as they were written`
    : `${count(faults.length, "fault")} in ${count(segments, "segment")}`;
  const more = [];
  if (first > 0) more.push(`The oldest ${size(first)} were dropped by retention.`);
  more.push(signed
    ? `The service signed that it reached ${size(signed.offset)} on ${day(signed.time)}.`
    : "Nothing is signed yet: the service signs every five minutes what was added.");
  return { tone: complete ? "good" : "bad", head, behind, more };
}

const count = (many, what) => `${many} ${what}${many === 1 ? "" : "s"}`;
