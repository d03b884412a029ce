/** Reads lists that come in pages. `api` has the calls of ui/api.js. */

/** Yields all pages of a list, each `{value, next, ...}`. Throws ApiError. */
export async function readPages(api, path, signal) {
  const pages = [];
  for (let next = null; ; ) {
    const page = await api.ask("GET", path + (next === null ? "" : `?${new URLSearchParams({ cursor: next })}`), undefined, signal);
    pages.push(page);
    next = page.next ?? null;
    if (next === null) return pages;
  }
}

/** Returns the items of all pages. */
export const valueOf = (pages) => pages.flatMap((page) => page.value);
