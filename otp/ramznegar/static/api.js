// The bank's API. A signed call carries a number that only grows, so a copied or repeated call is refused.
import { base64url, hex, sha256, utf8 } from "./bytes.js";
import { learn } from "./clock.js";
import { nextCall, read, write } from "./store.js";

const BASE = "/ramznegar/api";
const TIMEOUT_MS = 20_000;

export class Refused extends Error {
  constructor(status, { code, message }) {
    super(code);
    Object.assign(this, { status, code, told: message });
  }
}
export class NoAnswer extends Error {}

// The bank no longer knows this phone, or suspended it: a state of its own, on whatever screen it becomes known.
export const isGone = (error) => error.code === "CALL_REFUSED" || error.code === "DEVICE_SUSPENDED";

async function answered(method, path, body, headers) {
  const sent = Date.now();
  let response, found;
  try {
    response = await fetch(path, {
      method, body: body || undefined, cache: "no-store", credentials: "omit", redirect: "error",
      headers: body ? { "Content-Type": "application/json", ...headers } : headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await learn(response.headers.get("Ramznegar-Time"), sent, Date.now());
    found = await response.json();
  } catch { throw new NoAnswer(); }
  if (!response.ok) throw new Refused(response.status, found);
  return { status: response.status, ...found };
}

const written = (fields) => fields === undefined ? "" : JSON.stringify(fields);

export const activate = (fields) => answered("POST", `${BASE}/activations`, written(fields), {});

// One signed call at a time, whatever other windows do: the bank takes numbers in their order only.
const signed = (method, path, fields) => navigator.locks.request("ramznegar-call", async () => {
  const device = await read("device"), number = await nextCall();
  const whole = BASE + path, body = written(fields);
  const text = `${method}\n${whole}\n${number}\n${hex(await sha256(utf8(body)))}`;
  const mac = base64url(await crypto.subtle.sign("HMAC", device.auth_key, utf8(text)));
  return answered(method, whole, body, { "Ramznegar-Device": `id=${device.device_id}; n=${number}; mac=${mac}` });
});

// Calls that answer with the whole list; what came last is what the app shows offline.
async function listed(method, path, fields) {
  const found = await signed(method, path, fields);
  if (found.cards) await write({ list: { cards: found.cards, addable: found.addable, devices: found.devices } });
  return found;
}

export const confirm = (fields) => listed("POST", "/confirm", fields);
export const cards = () => listed("GET", "/cards");
export const requestCard = (cardNo) => signed("POST", "/cards/requests", { card_no: cardNo });
export const addCard = (fields) => listed("POST", "/cards", fields);
export const removeCard = (cardRef) => listed("DELETE", `/cards/${cardRef}`);
export const setCeiling = (cardRef, rial) => listed("PUT", `/cards/${cardRef}/ceiling`, { ceiling_rial: rial });
export const confirmCeiling = (cardRef, fields) => listed("POST", `/cards/${cardRef}/ceiling/confirm`, fields);
export const changePin = (fields) => signed("PUT", "/pin", fields);
export const removeDevice = (deviceId) => listed("DELETE", `/devices/${deviceId}`);
