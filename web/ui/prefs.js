/** Preferences, stored in this browser. They concern appearance only, never a session. */

const KEY = "serial-console.looks";
const DEFAULTS = { theme: "auto", fontSize: 14, screenReader: false };
const THEMES = ["auto", "light", "dark"];
const FONT_SIZES = { least: 9, most: 28 };

export const looks = new EventTarget();
let current = read();

export const prefs = () => current;

export function prefer(changes) {
  current = { ...current, ...changes };
  current.fontSize = Math.min(FONT_SIZES.most, Math.max(FONT_SIZES.least, current.fontSize));
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Storage may be disabled; the choice then lasts until the page is closed.
  }
  apply();
}

export function nextTheme() {
  prefer({ theme: THEMES[(THEMES.indexOf(current.theme) + 1) % THEMES.length] });
  return current.theme;
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");
systemDark.addEventListener("change", () => apply());

export function isDark() {
  return current.theme === "dark" || (current.theme === "auto" && systemDark.matches);
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
