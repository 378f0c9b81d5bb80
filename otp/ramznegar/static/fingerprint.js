// A finger instead of the app PIN: the authenticator's PRF wraps the stretched PIN. Without PRF there is no such offer,
// because a finger that only says yes would leave the value lying in the clear.
import { random, utf8 } from "./bytes.js";

const INFO = "ramznegar-v1|fingerprint";

export class NoPrf extends Error {}

export async function offered() {
  const known = globalThis.PublicKeyCredential;
  return Boolean(known && await known.isUserVerifyingPlatformAuthenticatorAvailable());
}

async function wrapKey(secret, uses) {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const way = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8(INFO) };
  return crypto.subtle.deriveKey(way, base, { name: "AES-GCM", length: 256 }, false, uses);
}

// The bank does not see this credential: its challenge is only a formality, its PRF is what counts.
async function secretOf(id, salt) {
  const credential = await navigator.credentials.get({ publicKey: {
    challenge: random(32), userVerification: "required", allowCredentials: [{ type: "public-key", id }],
    extensions: { prf: { eval: { first: salt } } },
  } });
  const secret = credential.getClientExtensionResults().prf?.results?.first;
  if (!secret) throw new NoPrf();
  return secret;
}

export async function enrol(name) {
  const salt = random(32);
  const credential = await navigator.credentials.create({ publicKey: {
    challenge: random(32), rp: { name }, user: { id: random(16), name, displayName: name },
    pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }],
    authenticatorSelection: { authenticatorAttachment: "platform", residentKey: "preferred", userVerification: "required" },
    extensions: { prf: { eval: { first: salt } } },
  } });
  const prf = credential.getClientExtensionResults().prf;
  if (!prf?.enabled && !prf?.results) throw new NoPrf();
  return { id: credential.rawId, salt };
}

export async function wrapped({ id, salt }, stretch, deviceId) {
  const key = await wrapKey(await secretOf(id, salt), ["encrypt"]), iv = random(12);
  const text = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8(deviceId) }, key, stretch);
  return { id, salt, iv, text };
}

export async function unwrapped({ id, salt, iv, text }, deviceId) {
  const key = await wrapKey(await secretOf(id, salt), ["decrypt"]);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: utf8(deviceId) }, key, text));
}
