// Settings: the app's PIN and finger, cards and devices, language and clock.
import * as api from "./api.js";
import * as clock from "./clock.js";
import { secondPin, stepAt } from "./codes.js";
import * as fingerprint from "./fingerprint.js";
import { clockSentence, fillCard, list, tailOf } from "./home.js";
import { pictureOf, rootOf, sealed, stretched } from "./keys.js";
import * as session from "./session.js";
import { pinTyped, rememberFinger } from "./start.js";
import { drop, forgetAll, read, write } from "./store.js";
import { moment, onlyDigits, rials, say } from "./text.js";
import { agreed, announce, busy, copyOf, eyes, go, mistaken, onSubmit, part, show } from "./ui.js";
import { askToOpen, fillPicture } from "./unlock.js";

const SERVER_FAILED = 500;

export async function settings() {
  const screen = show("settings");
  part("clock", screen).textContent = clockSentence() || say("clock.right");
  const switchable = part("finger", screen), kept = await read("fingerprint");
  switchable.textContent = say(kept ? "finger.off" : "finger.on");
  switchable.hidden = !kept && !await fingerprint.offered().catch(() => false);
  if (!switchable.hidden) part("safety", screen).textContent = say("safety");
  const off = () => busy(switchable, screen, () => fingerOff(screen));
  switchable.addEventListener("click", () => kept ? off() : go("#/settings/finger"));
  const remove = part("remove-app", screen);
  remove.addEventListener("click", () => busy(remove, screen, removeApp));
  fillLists(screen, await list());
  const fresh = await api.cards().catch((error) => { if (api.isGone(error)) throw error; });
  if (fresh) fillLists(screen, fresh);
}

async function fingerOff(screen) {
  await drop("fingerprint");
  announce(say("finger.is_off"));
  go("#/settings", screen);
}

function fillLists(screen, { cards, devices }) {
  part("cards", screen).replaceChildren(...cards.map((card) => cardRow(screen, card)));
  part("devices", screen).replaceChildren(...devices.map((device) => deviceRow(screen, device)));
}

function cardRow(screen, card) {
  const row = copyOf("card-setting"), remove = part("remove", row);
  fillCard(row, card);
  part("ceiling", row).textContent = rials(card.ceiling_rial);
  const next = card.ceiling_next;
  Object.assign(part("next", row), { hidden: !next,
    textContent: next ? say("ceiling.next", { amount: rials(next.rial), time: moment(next.at_ms) }) : "" });
  const change = part("change", row);
  change.href = `#/cards/${card.card_ref}/ceiling`;
  change.setAttribute("aria-label", say("ceiling.change.of", { tail: tailOf(card) }));
  remove.setAttribute("aria-label", say("card.remove.of", { tail: tailOf(card) }));
  remove.addEventListener("click", () => busy(remove, screen, async () => {
    if (!await agreed(say("card.remove.ask", { tail: tailOf(card) }), say("card.remove"))) return;
    fillLists(screen, await api.removeCard(card.card_ref));
  }));
  return row;
}

function deviceRow(screen, device) {
  const row = copyOf("device-row"), remove = part("remove", row), name = device.name || say("device.other");
  part("name", row).textContent = name;
  part("this", row).hidden = !device.this;
  part("suspended", row).hidden = device.state !== "suspended";
  part("seen", row).textContent = say("device.seen", { time: moment(device.seen_at_ms ?? device.added_at_ms) });
  remove.hidden = device.this;
  remove.setAttribute("aria-label", say("device.remove.of", { name }));
  remove.addEventListener("click", () => busy(remove, screen, async () => {
    if (!await agreed(say("device.remove.ask", { name }), say("device.remove"))) return;
    fillLists(screen, await api.removeDevice(device.device_id));
  }));
  return row;
}

// The bank is told first; a phone without a network may still be emptied, and the bank's list shows it until it hears.
async function removeApp() {
  if (!await agreed(say("remove.ask"), say("remove"))) return;
  const { device_id: deviceId } = await read("device");
  try { await api.removeDevice(deviceId); } catch (error) {
    if (error instanceof api.NoAnswer && !await agreed(say("remove.offline"), say("remove"))) return;
  }
  await emptied();
}

export async function emptied() {
  session.lock();
  await forgetAll();
  go("#/");
}

export async function finger() {
  const screen = show("turn-on-finger"), form = screen.querySelector("form");
  eyes(screen);
  onSubmit(form, async () => {
    const device = await read("device"), stretch = await checkedPin(device, form);
    await rememberFinger(device, stretch);
    announce(say("finger.is_on"));
    go("#/settings", form);
  });
}

// Shows the picture of what was typed before a finger is tied to it: a finger on a wrong PIN would make wrong codes for ever.
async function checkedPin(device, form) {
  const typed = onlyDigits(form.elements.namedItem("pin").value), stretch = await stretched(typed, device.device_id);
  const dialog = document.getElementById("ask");
  fillPicture(part("drawing", dialog), pictureOf(stretch));
  const right = form.isConnected && await agreed(say("picture.ask"), say("picture.yes"));
  part("drawing", dialog).replaceChildren();
  if (!right) throw mistaken("error.picture");
  return stretch;
}

export function changePin() {
  const screen = show("change-pin"), place = part("place", screen);
  const ask = () => {
    const panel = copyOf("new-pin"), form = panel.querySelector("form");
    eyes(panel);
    onSubmit(form, () => change(form));
    place.replaceChildren(panel);
    form.elements.namedItem("pin").focus();
  };
  session.whenLocked(() => { if (place.isConnected) changePin(); });
  if (session.isOpen()) ask(); else askToOpen(place, ask);
}

async function change(form) {
  const device = await read("device"), [card] = (await list()).cards;
  if (!card) throw mistaken("error.no_card");
  const stretch = await stretched(pinTyped(form), device.device_id);
  const old = await session.keyFor("second", card.card_ref), root = await rootOf(device, stretch);
  const code = await secondPin(old, stepAt(clock.now()));
  const asked = { card_ref: card.card_ref, code, code_root: await sealed(device, root) }, at = location.hash;
  await withoutFinger(device, stretch, () => api.changePin(asked));
  const picture = pictureOf(stretch);
  await session.open(device, stretch, picture);
  if (location.hash === at) fillPicture(part("picture", show("pin-changed")), picture);
}

// The finger holds the old value: it is off before the bank is asked, and on again once it is known which value is right.
// If that stays unknown, or the finger cannot be given the new one, it is off rather than wrong.
async function withoutFinger(device, stretch, changed) {
  const kept = await read("fingerprint");
  await drop("fingerprint");
  try { await changed(); } catch (error) {
    if (unheard(error)) throw mistaken("error.pin_unknown", ...kept ? ["finger.is_off"] : []);
    if (kept) await write({ fingerprint: kept });
    throw error;
  }
  const fresh = kept && await fingerprint.wrapped(kept, stretch, device.device_id).catch(() => null);
  if (fresh) await write({ fingerprint: fresh });
}

// A bank that failed may have failed after it took the PIN.
const unheard = (error) => error instanceof api.NoAnswer || error.status >= SERVER_FAILED;
