// A code for one purchase only: read from the payment page's QR code, or typed.
import { boundCode } from "./codes.js";
import { showCode } from "./codepanel.js";
import { askOrShow, cardNamed, fillCard } from "./home.js";
import { readQr, typedPurchase, typedTransfer } from "./payment.js";
import { fromCamera, fromPicture } from "./scan.js";
import * as session from "./session.js";
import { ascii, onlyDigits, rials, say } from "./text.js";
import { busy, complain, mistaken, onSubmit, part, show } from "./ui.js";

const TOTAL_DIGITS_MOST = 12;
const DESTINATION_DIGITS = 8;

export async function purchase(cardRef) {
  const card = await cardNamed(cardRef);
  if (!card) return;
  const screen = show("purchase");
  fillCard(screen, card);
  const taken = (text) => {
    const payment = readQr(text);
    if (payment) reveal(card, payment); else complain(screen, say("error.qr_foreign"));
    return Boolean(payment);
  };
  const camera = part("camera", screen), video = screen.querySelector("video");
  camera.addEventListener("click", () => busy(camera, screen, async () => {
    video.hidden = false;
    try { await fromCamera(video, taken); } catch {
      video.hidden = true;
      throw mistaken("error.camera");
    }
  }));
  const picture = part("picture-file", screen);
  picture.addEventListener("change", () => busy(picture, screen, async () => {
    const text = picture.files[0] && await fromPicture(picture.files[0]).catch(() => null);
    if (!text) throw mistaken("error.qr_none");
    if (screen.isConnected) taken(text);
  }));
  typedForm(screen, card);
}

function typedForm(screen, card) {
  const form = screen.querySelector("form"), field = (name) => form.elements.namedItem(name);
  const isTransfer = () => field("kind").value === "transfer";
  const fit = () => {
    part("terminal-field", form).hidden = isTransfer();
    part("destination-field", form).hidden = !isTransfer();
  };
  for (const choice of field("kind")) choice.addEventListener("change", fit);
  fit();
  field("total").addEventListener("input", () => {
    const total = Number(onlyDigits(field("total").value));
    part("echo", form).textContent = total ? rials(total) : "";
  });
  onSubmit(form, async () => {
    const total = onlyDigits(field("total").value).replace(/^0+/, "");
    if (!total || total.length > TOTAL_DIGITS_MOST) throw mistaken("error.total");
    reveal(card, isTransfer() ? typedTransfer(total, destinationIn(form)) : typedPurchase(total, terminalIn(form)));
  });
}

function destinationIn(form) {
  const digits = onlyDigits(form.elements.namedItem("destination").value);
  if (digits.length < DESTINATION_DIGITS) throw mistaken("error.destination");
  return digits.slice(-DESTINATION_DIGITS);
}

function terminalIn(form) {
  const typed = ascii(form.elements.namedItem("terminal").value).replace(/[\s-]/g, "");
  if (!/^[0-9A-Za-z]{1,8}$/.test(typed)) throw mistaken("error.terminal");
  return typed;
}

function reveal(card, payment) {
  const screen = show("bound"), place = part("place", screen);
  fillCard(screen, card);
  part("again", screen).href = `#/cards/${card.card_ref}`;
  part("total", screen).textContent = rials(payment.total);
  part("type", screen).textContent = say(`type.${payment.type}`);
  const facts = { payee: payment.payee, fee: payment.fee ? rials(payment.fee) : "",
    terminal: payment.terminal, destination: payment.destination && `•••• ${payment.destination}` };
  for (const [name, value] of Object.entries(facts)) {
    const line = part(name, screen);
    line.textContent = value ?? "";
    line.parentElement.hidden = !value;
  }
  return askOrShow(place, async () => {
    const key = await session.keyFor("bound", card.card_ref);
    await showCode(place, (minute) => boundCode(key, payment.question, minute));
  });
}
