/**
 * Third-party modules from npm, pinned by the lock file; the browser loads each file unchanged.
 * They are addresses instead of an import map, so that the page needs no inline script and its policy can forbid them.
 */

export { Terminal } from "../node_modules/@xterm/xterm/lib/xterm.mjs";
export { FitAddon } from "../node_modules/@xterm/addon-fit/lib/addon-fit.mjs";
export { SearchAddon } from "../node_modules/@xterm/addon-search/lib/addon-search.mjs";
export { Unicode11Addon } from "../node_modules/@xterm/addon-unicode11/lib/addon-unicode11.mjs";
export { WebLinksAddon } from "../node_modules/@xterm/addon-web-links/lib/addon-web-links.mjs";
