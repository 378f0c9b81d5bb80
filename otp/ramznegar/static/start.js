// From nothing to a working app: welcome, activation, app PIN, finger.
import * as api from "./api.js";
import { now } from "./clock.js";
import { codeKey, rootKey, secondPin, stepAt } from "./codes.js";
import * as fingerprint from "./fingerprint.js";
import { beginActivation, pictureOf, rootOf, sealed, stretched } from "./keys.js";
import * as session from "./session.js";
import { keepForGood, read, write } from "./store.js";
import { normalised, onlyDigits, partOf, say } from "./text.js";
import { busy, eyes, go, mistaken, onSubmit, part, show } from "./ui.js";
import { fillPicture, PIN_DIGITS_LEAST } from "./unlock.js";

export const welcome = () => show("welcome");
export const help = () => show("help");

const PART_LENGTH = 8;

// The fields of an activation, forgiving: spaces, dashes, any digits; the whole SMS may be pasted.
export function partsOf(form) {
  const field = (name) => form.elements.namedItem(name);
  const whole = { id: onlyDigits(field("activation_id")?.value ?? ""), secret: "" };
  for (const name of ["slip", "sms"]) {
    if (!field(name)) continue;
    const typed = name === "sms" ? partOf(field(name).value) : normalised(field(name).value);
    if (typed.length !== PART_LENGTH) throw mistaken(`error.${name}${field("slip") ? "" : "_alone"}`);
    whole.secret += typed;
  }
  if (field("activation_id") && whole.id.length !== PART_LENGTH) throw mistaken("error.activation_id");
  return whole;
}

export function guardPaste(form) {
  form.elements.namedItem("sms")?.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    event.preventDefault();
    event.target.value = partOf(text).replace(/(.{4})(?=.)/, "$1 ");
  });
}

export function activate() {
  const form = show("activate").querySelector("form");
  guardPaste(form);
  form.elements.namedItem("name").value = say(/Android/.test(navigator.userAgent) ? "device.android"
    : /iPhone|iPad/.test(navigator.userAgent) ? "device.apple" : "device.other");
  onSubmit(form, async () => {
    const { id, secret } = partsOf(form);
    const begun = await beginActivation(id, secret);
    const answer = await api.activate({ activation_id: id, public_key: begun.public_key, proof: begun.proof });
    const device = await begun.finish(answer);
    if (!device) throw mistaken("error.not_the_bank");
    const name = form.elements.namedItem("name").value.trim().slice(0, 40);
    await write({ device: { ...device, name, stage: "pending", card_ref: answer.card.card_ref }, calls: 0 });
    go("#/pin");
  });
}

const all = (digits, rule) => [...digits].slice(1).every((digit, place) => rule(Number(digit) - Number(digits[place])));
const guessable = (pin) => [0, 1, -1].some((step) => all(pin, (difference) => difference === step));

// The PIN typed twice, or the sentence that says what is wrong with it.
export function pinTyped(form) {
  const [first, again] = ["pin", "again"].map((name) => onlyDigits(form.elements.namedItem(name).value));
  if (first.length < PIN_DIGITS_LEAST) throw mistaken("error.pin_short");
  if (guessable(first)) throw mistaken("error.pin_guessable");
  if (first !== again) throw mistaken("error.pin_differs");
  return first;
}

export async function choosePin() {
  const screen = show("choose-pin"), form = screen.querySelector("form");
  eyes(screen);
  onSubmit(form, async () => {
    const device = await read("device"), stretch = await stretched(pinTyped(form), device.device_id);
    const root = await rootOf(device, stretch), key = await codeKey(await rootKey(root), "second", device.card_ref);
    const proven = { code_root: await sealed(device, root), code: await secondPin(key, stepAt(now())) };
    await api.confirm({ name: device.name, ...proven });
    await write({ device: { ...device, stage: "active" } });
    await keepForGood();
    await ready(device, stretch);
  });
}

async function ready(device, stretch) {
  const screen = show("ready"), offer = part("offer", screen);
  fillPicture(part("picture", screen), pictureOf(stretch));
  offer.hidden = !await fingerprint.offered().catch(() => false);
  const proceed = async () => {
    await session.open(device, stretch, pictureOf(stretch));
    go("#/");
  };
  const button = part("finger", screen);
  button.addEventListener("click", () => busy(button, screen, async () => {
    await rememberFinger(device, stretch);
    await proceed();
  }));
  part("later", screen).addEventListener("click", proceed);
}

// Wraps the stretched PIN for a finger of this phone.
export async function rememberFinger(device, stretch) {
  try {
    const credential = await fingerprint.enrol(say("brand"));
    await write({ fingerprint: await fingerprint.wrapped(credential, stretch, device.device_id) });
  } catch (error) {
    throw mistaken(error instanceof fingerprint.NoPrf ? "error.no_prf" : "error.finger");
  }
}
