// The codes themselves: TOTP (RFC 6238) for both PINs, OCRA (RFC 6287) for a code that is good for one purchase only.
import { joined, sha256, utf8 } from "./bytes.js";

export const STEP_SECONDS = 60;
const BOUND_SUITE = "OCRA-1:HOTP-SHA256-8:QH64-T1M";
const QUESTION_BYTES = 128;

export const stepAt = (ms) => Math.floor(ms / 1000 / STEP_SECONDS);

// RFC 4226, 5.3: the last four bits say where to read 31 bits.
function truncated(mac, digits) {
  const bytes = new DataView(mac), offset = bytes.getUint8(bytes.byteLength - 1) & 15;
  return String((bytes.getUint32(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, "0");
}

function counter(value) {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, BigInt(value));
  return new Uint8Array(bytes.buffer);
}

export const totp = async (key, step, digits) => truncated(await crypto.subtle.sign("HMAC", key, counter(step)), digits);

// `data` is what RFC 6287 calls DataInput, without the suite and the zero byte after it.
export async function ocra(key, suite, data) {
  const digits = Number(suite.match(/HOTP-SHA(?:1|256|512)-(\d+)/)[1]);
  return truncated(await crypto.subtle.sign("HMAC", key, joined(utf8(suite), new Uint8Array(1), data)), digits);
}

export async function boundCode(key, question, minute) {
  const padded = new Uint8Array(QUESTION_BYTES);
  padded.set(await sha256(utf8(question)));
  return ocra(key, BOUND_SUITE, joined(padded, counter(minute)));
}

export const secondPin = (key, step) => totp(key, step, 7);
export const firstPin = (key, step) => totp(key, step, 6);

// `root` is an HKDF key that cannot be read back; each card and purpose has a key of its own.
export const rootKey = (bytes) => crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);

export const codeKey = (root, purpose, cardRef) => crypto.subtle.deriveKey(
  { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8(`ramznegar-v1|${purpose}|${cardRef}`) },
  root, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"],
);
