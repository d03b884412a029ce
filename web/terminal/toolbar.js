/** The terminal's tools: each a labelled button, all reachable by keyboard. */

import { button, h } from "../ui/dom.js";
import { prefer, prefs } from "../ui/prefs.js";

/** `act` has access, search, copyAll, download, setSize, and `recordings`, an address; `menu` is the menu of commands. Returns the `element` and `allowTyping(allowed)`. */
export function toolbar(act, menu) {
  const reader = button("Screen reader", () => {
    prefer({ screenReader: !prefs().screenReader });
    reader.setAttribute("aria-pressed", String(prefs().screenReader));
  }, { "aria-pressed": String(prefs().screenReader), title: "Read the console's output aloud through a screen reader" });
  const setSize = button("Set size in the guest", act.setSize, { title: "Types stty for you: a serial line cannot tell the VM how large the window is" });
  const element = h("div", { class: "tools", role: "toolbar", "aria-label": "Terminal" },
    menu,
    button("Access", act.access, { title: "Who is connected, and every check of this VM" }),
    button("Search", act.search, { title: "Ctrl+Shift+F" }),
    button("Copy all", act.copyAll, { title: "Copy everything in the scrollback" }),
    h("a", { class: "tool", href: act.recordings, data: { testid: "recordings" }, title: "What was recorded of this VM: replay, search, verify" }, "Recordings"),
    button("Download", act.download, { title: "Download everything that is kept of this console" }),
    setSize, reader,
    h("span", { class: "pair", role: "group", "aria-label": "Font size" },
      button("A−", () => prefer({ fontSize: prefs().fontSize - 1 }), { title: "Smaller (Ctrl+Shift+−)", "aria-label": "A−, smaller" }),
      button("A+", () => prefer({ fontSize: prefs().fontSize + 1 }), { title: "Larger (Ctrl+Shift++)", "aria-label": "A+, larger" })));
  return { element, allowTyping: (allowed) => (setSize.disabled = !allowed) };
}
