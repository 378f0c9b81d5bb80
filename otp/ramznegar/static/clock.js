// The bank's time on this phone: the offset is learned at every contact and kept, so that codes are right offline too.
import { read, write } from "./store.js";

const ROUND_TRIP_MOST_MS = 10_000;
export const NOTICEABLE_MS = 30_000;
let offset = null;

// Read once; what a contact taught meanwhile is newer.
export async function load() {
  if (offset !== null) return;
  const kept = await read("offset");
  offset ??= kept ?? 0;
}

export const now = () => Date.now() + offset;

// How far the phone's own clock is ahead of the bank's; negative when it is behind.
export const phoneAheadMs = () => -offset;

export async function learn(header, sent, received) {
  const told = Number(header);
  if (!header || !Number.isSafeInteger(told) || received - sent > ROUND_TRIP_MOST_MS) return;
  offset = Math.round(told - (sent + received) / 2);
  await write({ offset });
}
