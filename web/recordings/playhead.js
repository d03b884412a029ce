/** The player's position and its progress with time. Pure; times are seconds of the recording. */

export const SPEEDS = [0.5, 1, 2, 4, 8, 16];
/** A longer pause is shortened to this length. */
export const IDLE_SECONDS = 2;

/** Returns the position after playing from `at` for `passed` seconds of real time. */
export function advance(cast, at, passed, { speed, skipIdle }) {
  const there = at + passed * speed;
  const next = skipIdle ? cast.timeOf(cast.until(at)) : undefined;
  if (next === undefined) return Math.min(there, cast.seconds);
  const last = cast.timeOf(cast.until(at) - 1) ?? 0;
  const silent = there - last >= IDLE_SECONDS && next > there;
  return Math.min(silent ? next : there, cast.seconds);
}

/** Returns the next speed up (1) or down (-1). */
export function otherSpeed(speed, step) {
  const at = SPEEDS.indexOf(speed) + step;
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at))];
}

/** Returns the mark after (1) or before (-1) a time, or null; `marks` have a time each, rising. */
export function otherMark(marks, at, step) {
  // Going back right after a mark means the one before it.
  return step > 0 ? (marks.find((mark) => mark.time > at + 0.01) ?? null) : (marks.findLast((mark) => mark.time < at - 1) ?? null);
}

/**
 * From which print the screen is drawn to show what was printed up to `due`, where it shows `shown` prints already:
 * `shown` goes on with what is there, anything else begins anew. At most `most` bytes before `due` are drawn.
 */
export function drawnFrom(cast, shown, due, most) {
  const least = cast.printAt(cast.offsetOf(due) - most);
  return due < shown ? least : Math.max(shown, least);
}
