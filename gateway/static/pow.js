// Proof of work: a number whose SHA-256 behind the challenge begins with so many zero bits, sought in chunks.
const CHUNK = 512;

export const solve = async (challenge, bits) => {
  const encoder = new TextEncoder();
  const proves = async (counter) => {
    const hash = await crypto.subtle.digest("SHA-256", encoder.encode(`${challenge}.${counter}`));
    return new DataView(hash).getUint32(0) >>> (32 - bits) === 0;
  };
  for (let start = 0; start < 2 ** (bits + 5); start += CHUNK) {
    const found = await Promise.all(Array.from({ length: CHUNK }, (_, place) => proves(start + place)));
    if (found.includes(true)) return start + found.indexOf(true);
  }
  throw new Error("no proof found");
};
