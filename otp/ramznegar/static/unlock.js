// Opening the app with PIN or finger. A wrong PIN is not noticed here: nothing on the phone knows the right one.
import * as fingerprint from "./fingerprint.js";
import { pictureOf, stretched } from "./keys.js";
import * as session from "./session.js";
import { read } from "./store.js";
import { onlyDigits, say } from "./text.js";
import { busy, copyOf, drawing, eyes, mistaken, onSubmit, part } from "./ui.js";

export const PIN_DIGITS_LEAST = 6;
const PICTURES = ["sun", "tree", "fish", "star", "house", "boat", "key", "cup"];

export function fillPicture(place, number) {
  place.replaceChildren(drawing(`picture-${PICTURES[number]}`), ` ${say(`picture.${PICTURES[number]}`)}`);
}

async function openWith(device, stretch) {
  await session.open(device, stretch, pictureOf(stretch));
}

async function byFinger(device, kept) {
  try {
    await openWith(device, await fingerprint.unwrapped(kept, device.device_id));
  } catch { throw mistaken("error.finger"); }
}

// Puts the way in into `place`; `opened` is called once the codes can be made, if somebody still looks there.
export async function askToOpen(place, opened) {
  const device = await read("device"), kept = await read("fingerprint");
  const panel = copyOf("unlock");
  const proceed = () => { if (session.isOpen() && place.isConnected) opened(); };
  const form = panel.querySelector("form"), pin = form.querySelector("input"), finger = part("finger", panel);
  onSubmit(form, async () => {
    const typed = onlyDigits(pin.value);
    if (typed.length < PIN_DIGITS_LEAST) throw mistaken("error.pin_short");
    await openWith(device, await stretched(typed, device.device_id));
    proceed();
  });
  finger.hidden = !kept;
  finger.addEventListener("click", () => busy(finger, form, async () => {
    await byFinger(device, kept);
    proceed();
  }));
  eyes(panel);
  place.replaceChildren(panel);
  if (kept) finger.focus();
}
