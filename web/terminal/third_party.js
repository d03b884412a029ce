/**
 * The parts that are not ours, from npm by lock file, each one file that the browser reads as it is.
 * Addresses instead of an import map: the page then needs no inline script at all, and its policy says so.
 */

export { Terminal } from "../node_modules/@xterm/xterm/lib/xterm.mjs";
export { FitAddon } from "../node_modules/@xterm/addon-fit/lib/addon-fit.mjs";
export { SearchAddon } from "../node_modules/@xterm/addon-search/lib/addon-search.mjs";
export { Unicode11Addon } from "../node_modules/@xterm/addon-unicode11/lib/addon-unicode11.mjs";
export { WebLinksAddon } from "../node_modules/@xterm/addon-web-links/lib/addon-web-links.mjs";
