// What can be told of a page without eyes: run in the page by test_page_for_everybody.py. Answers the faults as sentences.
// Rules after WCAG 2.2: 1.4.3 contrast (4.5, large text 3), 4.1.2 names, 1.4.10 reflow; ARIA 1.2 for where a label may stand.
() => {
  const LEAST = 4.5;
  const LARGE = { least: 3, pixels: 24, boldPixels: 18.66 };
  const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !element.closest("[aria-hidden=true], .heard, .skip, .xterm-helpers, .xterm-accessibility");
  const all = [...document.querySelectorAll("body *")].filter(seen);
  const called = (element) => (element.getAttribute("aria-label") ?? document.getElementById(element.getAttribute("aria-labelledby"))?.textContent ?? element.labels?.[0]?.textContent ?? element.textContent ?? "").trim();
  const what = (element) => `${element.tagName.toLowerCase()} "${(called(element) || element.className).slice(0, 40)}"`;

  const rgb = (color) => (/rgba?\(([^)]+)\)/.exec(color)?.[1] ?? "0 0 0 0").split(/[ ,/]+/).map(Number);
  const over = (top, below) => top.slice(0, 3).map((value, at) => value * (top[3] ?? 1) + below[at] * (1 - (top[3] ?? 1)));
  const ground = (element) => (element ? over(rgb(getComputedStyle(element).backgroundColor), ground(element.parentElement)) : [255, 255, 255]);
  const light = (color) => color.map((value) => value / 255).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)).reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const contrast = (element) => {
    const below = ground(element);
    const [one, other] = [light(over(rgb(getComputedStyle(element).color), below)), light(below)].sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05);
  };
  const least = ({ fontSize, fontWeight }) => (parseFloat(fontSize) >= (Number(fontWeight) >= 700 ? LARGE.boldPixels : LARGE.pixels) ? LARGE.least : LEAST);
  const off = (element) => element.closest(":disabled, [aria-disabled=true]");
  const dimmed = (element) => element.closest(".covered > .terminal");

  const texts = all.filter((element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()) && !off(element) && !dimmed(element));
  const pale = texts.filter((element) => contrast(element) < least(getComputedStyle(element))).map((element) => `contrast ${contrast(element).toFixed(2)}: ${what(element)}`);
  const nameless = all.filter((element) => element.matches("a[href], button, input, select, summary, dialog, [role=alertdialog]") && !called(element)).map((element) => `no name: ${element.outerHTML.slice(0, 80)}`);
  const unread = [...document.querySelectorAll("div[aria-label], span[aria-label], p[aria-label]")].filter((element) => !element.hasAttribute("role") && seen(element)).map((element) => `a label that nothing reads: ${what(element)}`);
  const wide = all.filter((element) => element.matches("a, button, input, p, h1, h2, h3") && !element.closest("pre, .mark-list")).filter((element) => element.getBoundingClientRect().right > innerWidth + 1).map((element) => `past the right edge: ${what(element)}`);
  const scrolls = document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [];
  return [...new Set([...pale, ...nameless, ...unread, ...wide, ...scrolls])];
}
