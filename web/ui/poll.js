/** Asking again and again, only while somebody looks. */

/**
 * Calls `look()` now and then every `milliseconds` after the last answer; a page that is hidden asks nothing and asks at
 * once when it is seen again. Answers a function that ends it. `look` handles its own failures.
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
