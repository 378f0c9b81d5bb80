// The cards, and the codes of one.
import * as clock from "./clock.js";
import { firstPin, secondPin } from "./codes.js";
import { showCode, stopTicking } from "./codepanel.js";
import * as session from "./session.js";
import { read } from "./store.js";
import { chosenOf, digits, rials, say } from "./text.js";
import { copyOf, go, part, show } from "./ui.js";
import { askToOpen } from "./unlock.js";

const COLOURS = 6;

// Masks go out as the bank writes them; only the tail is shown.
export const tailOf = (card) => card.masked_pan.slice(-4);

export function fillCard(place, card) {
  const name = chosenOf(card.bank), letters = [...name.replace(/^(بانک|bank)\s+/iu, "")];
  const mark = part("mark", place);
  mark.textContent = letters[0];
  mark.classList.add(`colour-${[...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % COLOURS}`);
  part("bank", place).textContent = name;
  part("tail", place).textContent = `•••• ${tailOf(card)}`;
}

export async function list() {
  return (await read("list")) ?? { cards: [], addable: [], devices: [] };
}

export function clockSentence() {
  const ahead = clock.phoneAheadMs();
  if (Math.abs(ahead) < clock.NOTICEABLE_MS) return "";
  const seconds = Math.round(Math.abs(ahead) / 1000), minutes = Math.round(seconds / 60);
  const amount = seconds < 90 ? say("seconds", { number: digits(seconds) }) : say("minutes", { number: digits(minutes) });
  return say(ahead > 0 ? "clock.ahead" : "clock.behind", { amount });
}

export async function home() {
  const screen = show("home"), { cards } = await list(), sentence = clockSentence();
  Object.assign(part("clock", screen), { textContent: sentence, hidden: !sentence });
  part("none", screen).hidden = cards.length > 0;
  part("cards", screen).replaceChildren(...cards.map((card) => {
    const row = copyOf("card-row");
    fillCard(row, card);
    part("ceiling", row).textContent = say("ceiling.of_code", { amount: rials(card.ceiling_rial) });
    row.querySelector("a").href = `#/cards/${card.card_ref}`;
    return row;
  }));
}

const PINS = { second: { make: secondPin, next: true }, first: { make: firstPin, next: false } };

async function pinScreen(card, purpose) {
  const screen = show("card"), place = part("place", screen);
  fillCard(screen, card);
  part("bound", screen).href = `#/cards/${card.card_ref}/purchase`;
  for (const link of screen.querySelectorAll("[data-purpose]")) {
    const own = link.dataset.purpose;
    link.href = `#/cards/${card.card_ref}${own === "first" ? "/first" : ""}`;
    if (own === purpose) link.setAttribute("aria-current", "page");
  }
  part("use", screen).textContent = purpose === "first" ? say("first.use") : say("second.use", { amount: rials(card.ceiling_rial) });
  await askOrShow(place, async () => {
    const key = await session.keyFor(purpose, card.card_ref);
    await showCode(place, (step) => PINS[purpose].make(key, step), PINS[purpose]);
  });
}

// Shows codes at once while the app is open; asks for PIN or finger otherwise, and again after it locked.
export async function askOrShow(place, reveal) {
  const closed = () => {
    stopTicking();
    place.replaceChildren();
    askToOpen(place, reveal);
  };
  session.whenLocked(() => { if (place.isConnected) closed(); });
  if (session.isOpen()) await reveal(); else await askToOpen(place, reveal);
}

// Null as well for whoever has gone on to another address meanwhile.
export async function cardNamed(cardRef) {
  const at = location.hash, card = (await list()).cards.find((each) => each.card_ref === cardRef);
  if (location.hash !== at) return null;
  if (!card) go("#/");
  return card;
}

export async function second(cardRef) {
  const card = await cardNamed(cardRef);
  if (card) await pinScreen(card, "second");
}

export async function first(cardRef) {
  const card = await cardNamed(cardRef);
  if (card) await pinScreen(card, "first");
}

