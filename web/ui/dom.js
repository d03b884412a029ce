/** Builds elements without markup strings, so that names and messages from outside can never become markup. */

/** `h("button", {class, on: {click}, data: {testid}, ...properties and attributes}, ...children)`. */
export function h(tag, { class: name, on = {}, data = {}, ...rest } = {}, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  Object.assign(element.dataset, data);
  for (const [key, value] of Object.entries(rest)) set(element, key, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function set(element, key, value) {
  if (value === null || value === undefined) return;
  if (key in element && !key.startsWith("aria")) element[key] = value;
  else element.setAttribute(key, String(value));
}

export function button(label, click, more = {}) {
  return h("button", { type: "button", ...more, on: { click, ...more.on } }, label);
}

/** Sets the children of a list in this order. A child that is already in its place is not moved and keeps the focus. */
export function arrange(list, elements) {
  const wanted = new Set(elements);
  for (const element of [...list.children]) if (!wanted.has(element)) element.remove();
  let next = list.firstElementChild;
  for (const element of elements) {
    if (element === next) next = next.nextElementSibling;
    else list.insertBefore(element, next);
  }
}

/** Sets an element's text only if it differs, so that a live region speaks once and nothing flickers. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Runs the work while the button shows that it is busy. The button keeps the focus (a disabled one would lose it) and ignores further clicks. */
export async function busy(control, work) {
  if (control.ariaDisabled === "true") return;
  control.ariaDisabled = "true";
  try {
    await work();
  } finally {
    control.ariaDisabled = null;
  }
}

/** Makes an element with a command and its copy button. */
export function command(text) {
  const copied = button("Copy", async () => {
    await navigator.clipboard.writeText(text);
    copied.textContent = "Copied";
    setTimeout(() => (copied.textContent = "Copy"), 1500);
  }, { class: "small", "aria-label": `Copy the command ${text}` });
  return h("span", { class: "command" }, h("code", { title: text }, text), copied);
}

/** Announces a text to screen readers only. */
export function announce(text) {
  setText(document.getElementById("live"), text);
}
