/** Polls a function while the page is visible. */

/**
 * Calls `look()` at once, and again `milliseconds` after each answer. A hidden page does not call it, and calls it at once
 * when it becomes visible. Returns a function that stops the polling. `look` must handle its own failures.
 */
export function whileSeen(milliseconds, look, page = document) {
  let timer = 0;
  let over = false;
  let busy = false;
  const next = async () => {
    clearTimeout(timer);
    if (over || busy || page.hidden) return;
    busy = true;
    await look();
    busy = false;
    if (!over) timer = setTimeout(next, milliseconds);
  };
  page.addEventListener("visibilitychange", next);
  next();
  return () => {
    over = true;
    clearTimeout(timer);
    page.removeEventListener("visibilitychange", next);
  };
}
