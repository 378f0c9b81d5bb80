// What the payment page's QR code says: the canonical text, version 1, that the bank builds from the authorisation.
const PREFIX = "POOYA1|";
const FACTS = ["type", "amount", "fee", "acquirer", "merchant", "terminal", "payee", "payee_key", "ref"];
const TYPES = new Set(["PURCHASE", "CARD_TRANSFER", "BILL_PAYMENT", "TOP_UP", "BALANCE_INQUIRY"]);
const SHAPES = {
  amount: /^\d{1,12}$/, fee: /^\d{1,12}$/, acquirer: /^\d{6,11}$/, merchant: /^[0-9A-Za-z]{1,15}$/,
  terminal: /^[0-9A-Za-z]{1,8}$/, payee: /^.{1,20}$/, payee_key: /^([0-9a-f]{64})?$/, ref: /^[A-Z2-7]{16}$/,
};

// Returns null for anything else: a code must not be made of what nobody can show.
export function readQr(text) {
  if (!text.startsWith(PREFIX)) return null;
  const question = text.slice(PREFIX.length), [version, ...pairs] = question.split("|");
  const facts = Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
  const named = pairs.length === FACTS.length && FACTS.every((name, place) => pairs[place].startsWith(`${name}=`));
  if (version !== "v1" || !named || !TYPES.has(facts.type)) return null;
  if (Object.entries(SHAPES).some(([name, shape]) => !shape.test(facts[name]))) return null;
  return { question, type: facts.type, payee: facts.payee, terminal: facts.terminal,
    total: Number(facts.amount) + Number(facts.fee), fee: Number(facts.fee) };
}

export const typedPurchase = (total, terminal) =>
  ({ question: `typed-v1|total=${total}|terminal=${terminal}`, type: "PURCHASE", terminal, total, fee: 0 });
export const typedTransfer = (total, destination) =>
  ({ question: `typed-v1|total=${total}|destination=${destination}`, type: "CARD_TRANSFER", destination, total, fee: 0 });
