// From the activation's parts to the device's keys, and from the app PIN to the root of all codes.
import { base64url, fromBase64url, fromHex, joined, random, utf8 } from "./bytes.js";

const subtle = crypto.subtle;
const HMAC = { name: "HMAC", hash: "SHA-256", length: 256 };
export const ROUNDS = 600_000;

const derived = (base, salt, info, kind, uses) =>
  subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt, info: utf8(info) }, base, kind, false, uses);

// The activation's key, as bytes: it is a MAC key and a salt, and lives as long as this call of the API.
async function activationKey(id, secret) {
  const base = await subtle.importKey("raw", utf8(secret), "HKDF", false, ["deriveBits"]);
  const way = { name: "HKDF", hash: "SHA-256", salt: utf8(`ramznegar-v1|${id}`), info: utf8("activation") };
  return new Uint8Array(await subtle.deriveBits(way, base, 256));
}

const macKey = (bytes) => subtle.importKey("raw", bytes, HMAC, false, ["sign", "verify"]);

// Proves that this phone knows the parts, for one named deed ("add", "ceiling") on one thing.
export async function proofFor(id, secret, deed, what) {
  const key = await macKey(await activationKey(id, secret));
  return base64url(await subtle.sign("HMAC", key, utf8(`ramznegar-v1|${deed}|${what}`)));
}

// Begins an activation: what to send, and how the bank's answer becomes this device's keys. The phone proves itself
// first; an answer whose proof is wrong is nobody's, and gives null.
export async function beginActivation(id, secret) {
  const salt = await activationKey(id, secret), key = await macKey(salt);
  const pair = await subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
  const own = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  const proof = await subtle.sign("HMAC", key, joined(utf8(`ramznegar-v1|client|${id}|`), own));
  const finish = async (answer) => {
    const theirs = fromBase64url(answer.public_key);
    const said = joined(utf8("ramznegar-v1|server|"), own, theirs);
    if (!await subtle.verify("HMAC", key, fromBase64url(answer.proof), said)) return null;
    const peer = await subtle.importKey("raw", theirs, { name: "ECDH", namedCurve: "P-256" }, false, []);
    const shared = await subtle.deriveBits({ name: "ECDH", public: peer }, pair.privateKey, 256);
    const base = await subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
    return {
      device_id: answer.device_id,
      device_key: await derived(base, salt, "device", HMAC, ["sign"]),
      auth_key: await derived(base, salt, "auth", HMAC, ["sign"]),
      wrap_key: await derived(base, salt, "wrap", { name: "AES-GCM", length: 256 }, ["encrypt"]),
    };
  };
  return { public_key: base64url(own), proof: base64url(proof), finish };
}

export async function stretched(pin, deviceId, rounds = ROUNDS) {
  const base = await subtle.importKey("raw", utf8(pin), "PBKDF2", false, ["deriveBits"]);
  const salt = fromHex(deviceId.replaceAll("-", ""));
  return new Uint8Array(await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: rounds }, base, 256));
}

export const rootOf = async (device, stretch) => new Uint8Array(await subtle.sign("HMAC", device.device_key, stretch));

export async function sealed(device, root) {
  const iv = random(12);
  const text = await subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8(device.device_id) }, device.wrap_key, root);
  return { iv: base64url(iv), text: base64url(text) };
}

// Three bits of what was typed, for its owner's eyes: a slip of the finger shows another picture.
export const pictureOf = (stretch) => stretch[31] & 7;
