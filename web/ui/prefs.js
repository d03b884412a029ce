/** What the person prefers, kept in this browser. Only looks; never anything about a session. */

const KEY = "serial-console.looks";
const DEFAULTS = { theme: "auto", fontSize: 14, screenReader: false };
const THEMES = ["auto", "light", "dark"];
const FONT_SIZES = { least: 9, most: 28 };

export const looks = new EventTarget();
let kept = read();

export const prefs = () => kept;

export function prefer(changes) {
  kept = { ...kept, ...changes };
  kept.fontSize = Math.min(FONT_SIZES.most, Math.max(FONT_SIZES.least, kept.fontSize));
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Storage may be switched off; the choice then lasts as long as the page.
  }
  apply();
}

export function nextTheme() {
  prefer({ theme: THEMES[(THEMES.indexOf(kept.theme) + 1) % THEMES.length] });
  return kept.theme;
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");
systemDark.addEventListener("change", () => apply());

export function isDark() {
  return kept.theme === "dark" || (kept.theme === "auto" && systemDark.matches);
}

export function apply() {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  looks.dispatchEvent(new Event("change"));
}

function read() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY)) };
  } catch {
    return DEFAULTS;
  }
}
