// Screens: their frames stand in the page as templates, their words in the table.
import { NoAnswer, Refused } from "./api.js";
import { chosenOf, say } from "./text.js";

const main = document.getElementById("main"), live = document.getElementById("live");
const ATTRIBUTES = { tLabel: "aria-label", tPlaceholder: "placeholder" };

export const part = (name, root = main) => root.querySelector(`[data-part="${name}"]`);

export function worded(root) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = say(element.dataset.t);
  for (const [from, to] of Object.entries(ATTRIBUTES)) {
    const name = from.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`);
    for (const element of root.querySelectorAll(`[data-${name}]`)) element.setAttribute(to, say(element.dataset[from]));
  }
  return root;
}

export const copyOf = (template) => worded(document.getElementById(template).content.cloneNode(true));

// Each showing is an element of its own: what an answer fills late is not the screen that stands there by then.
export function show(template) {
  const screen = document.createElement("div");
  screen.className = "screen";
  screen.append(copyOf(template));
  main.replaceChildren(screen);
  const heading = screen.querySelector("h1");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
  return screen;
}

// Once a screen has its words: the window is called after it.
export function name() {
  const heading = main.querySelector("h1 .named, h1");
  document.title = `${heading.innerText.trim()} – ${say("brand")}`;
}

// A screen is drawn again as well when it is asked for by its own address. Whoever has left the place that an answer came
// for stays where they are.
export function go(hash, from = main) {
  if (!from.isConnected) return;
  if (location.hash === hash) dispatchEvent(new HashChangeEvent("hashchange")); else location.hash = hash;
}

export function announce(text) {
  live.textContent = "";
  setTimeout(() => { live.textContent = text; }, 60);
}

const REFUSALS = new Set(["ACTIVATION_REFUSED", "TOO_MANY_REQUESTS", "CALL_REFUSED", "DEVICE_SUSPENDED", "CODE_WRONG"]);

// What went wrong, in words: ours where we know better than the bank what the holder can do now.
export function wordsOf(error) {
  if (error instanceof NoAnswer) return say("error.no_answer");
  if (!(error instanceof Refused)) return say("error.phone");
  if (REFUSALS.has(error.code)) return say(`error.${error.code}`);
  return error.told ? chosenOf(error.told) : say("error.bank");
}

export function complain(place, sentence) {
  const notice = part("mistake", place);
  notice.textContent = sentence;
  notice.hidden = !sentence;
}

// Runs what a form or a button asks for: once at a time, and with every failure told where it happened.
export async function busy(button, place, deed) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  complain(place, "");
  try { await deed(); } catch (error) { complain(place, error.sentence ?? wordsOf(error)); }
  button.removeAttribute("aria-disabled");
}

export const mistaken = (...keys) => Object.assign(new Error(keys[0]), { sentence: keys.map((key) => say(key)).join(" ") });

export function onSubmit(form, deed) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(form.querySelector("button:not([type])"), form, deed);
  });
}

export function eyes(root) {
  for (const button of root.querySelectorAll("[data-eye]")) {
    button.addEventListener("click", () => {
      const shown = document.getElementById(button.dataset.eye).classList.toggle("plain");
      button.setAttribute("aria-pressed", shown);
    });
  }
}

// Asks before something that cannot be taken back; true for yes.
export function agreed(question, deed) {
  const dialog = document.getElementById("ask");
  worded(dialog);
  part("question", dialog).textContent = question;
  part("yes", dialog).textContent = deed;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true }));
}

export function drawing(name) {
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}
