// Between unlocking and locking the root of codes is in memory, as a key that cannot be read back; never longer than the
// screen is looked at, and never on the disk.
import { codeKey, rootKey } from "./codes.js";
import { rootOf } from "./keys.js";

const IDLE_MS = 75_000;
const nothing = { root: null, picture: null, keys: new Map() };
let held = { ...nothing }, timer = 0, onLock = () => {};

export const isOpen = () => held.root !== null;
export const picture = () => held.picture;
export const whenLocked = (deed) => { onLock = deed; };

// Stretching a PIN takes a while: who has hidden the app meanwhile opens nothing.
export async function open(device, stretch, picture) {
  const root = await rootOf(device, stretch);
  held = { root: await rootKey(root), picture, keys: new Map() };
  stretch.fill(0);
  root.fill(0);
  stay();
  if (document.hidden) lock();
}

export function lock() {
  if (!isOpen()) return;
  clearTimeout(timer);
  held = { ...nothing, keys: new Map() };
  onLock();
}

export async function keyFor(purpose, cardRef) {
  const name = `${purpose} ${cardRef}`;
  if (!held.keys.has(name)) held.keys.set(name, await codeKey(held.root, purpose, cardRef));
  return held.keys.get(name);
}

function stay() {
  clearTimeout(timer);
  if (isOpen()) timer = setTimeout(lock, IDLE_MS);
}

export function guard() {
  for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, stay, { passive: true });
  document.addEventListener("visibilitychange", () => { if (document.hidden) lock(); });
  addEventListener("pagehide", lock);
}
