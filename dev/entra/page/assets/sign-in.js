// Keys for the account picker. Without this script Tab and Enter still do everything.
const people = [...document.querySelectorAll(".person")];

const step = (by) => {
  const at = people.indexOf(document.activeElement);
  people[(at + by + people.length) % people.length].focus();
};

const keys = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(people.includes(document.activeElement) ? -1 : 0),
  Home: () => people[0].focus(),
  End: () => people.at(-1).focus(),
  Escape: () => document.querySelector(".quiet").click(),
};

document.addEventListener("keydown", (event) => {
  if (!people.length || event.ctrlKey || event.metaKey || event.altKey) return;
  const chosen = people.find((person) => person.dataset.key === event.key);
  const act = chosen ? () => chosen.click() : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
