/** Terminal colours for both themes; the page's own colours are in style.css. */

export const LIGHT = {
  background: "#fdfdfb", foreground: "#23272b", cursor: "#0b6e69", cursorAccent: "#fdfdfb", selectionBackground: "#bfe0dc",
  black: "#23272b", red: "#b3261e", green: "#2c6e2f", yellow: "#8a5a00", blue: "#1f5fa8", magenta: "#8a3a8f", cyan: "#0b6e75", white: "#6c7176",
  brightBlack: "#5b6167", brightRed: "#c9372c", brightGreen: "#3a7d3d", brightYellow: "#9a6b00", brightBlue: "#2a6fbf", brightMagenta: "#9c4aa1",
  brightCyan: "#127d84", brightWhite: "#3b4045",
};

export const DARK = {
  background: "#0e1113", foreground: "#d5dade", cursor: "#62cfc4", cursorAccent: "#0e1113", selectionBackground: "#24504c",
  black: "#2b3136", red: "#f08a7f", green: "#8fc98a", yellow: "#e0b866", blue: "#83b4ec", magenta: "#d39be0", cyan: "#6fcfd0", white: "#c9ced2",
  brightBlack: "#7d868d", brightRed: "#ffa79d", brightGreen: "#abdfa6", brightYellow: "#f2d08a", brightBlue: "#a5caf5", brightMagenta: "#e3b8ec",
  brightCyan: "#93e2e1", brightWhite: "#f3f5f6",
};

/** The current match has a frame and the colour of a selection; the others are paler. */
export const MATCHES = {
  light: { matchBackground: "#f3e4b5", activeMatchBackground: "#8fcfc8", activeMatchBorder: "#0b6e69", matchOverviewRuler: "#b08a2a", activeMatchColorOverviewRuler: "#0b6e69" },
  dark: { matchBackground: "#4a3d14", activeMatchBackground: "#2f7a72", activeMatchBorder: "#62cfc4", matchOverviewRuler: "#8f7426", activeMatchColorOverviewRuler: "#62cfc4" },
};
