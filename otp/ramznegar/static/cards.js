// Adding cards, and the ceiling of a card's codes.
import * as api from "./api.js";
import { cardNamed, fillCard, list } from "./home.js";
import { proofFor } from "./keys.js";
import { guardPaste, partsOf } from "./start.js";
import { read } from "./store.js";
import { digits, grouped, moment, onlyDigits, rials, say } from "./text.js";
import { announce, busy, copyOf, go, mistaken, onSubmit, part, show } from "./ui.js";

export async function add() {
  const screen = show("add-card"), form = screen.querySelector("form");
  guardPaste(form);
  onSubmit(form, async () => {
    const { id, secret } = partsOf(form), device = await read("device");
    await api.addCard({ activation_id: id, proof: await proofFor(id, secret, "add", device.device_id) });
    announce(say("card.added"));
    go("#/", form);
  });
  const { addable } = await list();
  part("mine", screen).hidden = !addable.length;
  part("addable", screen).replaceChildren(...addable.map((card) => {
    const row = copyOf("addable-row"), button = row.querySelector("button");
    button.textContent = say("card.add.one", { tail: card.masked_pan.slice(-4) });
    button.addEventListener("click", () => busy(button, screen, async () => {
      const asked = await api.requestCard(card.card_no), device = await read("device");
      askSms(screen, asked, async (secret) => {
        const proof = await proofFor(asked.activation_id, secret, "add", device.device_id);
        await api.addCard({ activation_id: asked.activation_id, proof });
        announce(say("card.added"));
        go("#/", screen);
      });
    }));
    return row;
  }));
}

// The part that was texted to the card's mobile, and what to do with it.
function askSms(screen, asked, deed) {
  const panel = copyOf("sms-part"), form = panel.querySelector("form");
  part("sent", panel).textContent = say("sms.sent", { tail: digits(asked.mobile_last_two) });
  guardPaste(form);
  onSubmit(form, () => deed(partsOf(form).secret));
  screen.querySelector("[data-part=steps]").replaceChildren(panel);
  form.elements.namedItem("sms").focus();
}

export async function ceiling(cardRef) {
  const card = await cardNamed(cardRef);
  if (!card) return;
  const screen = show("ceiling"), form = screen.querySelector("form"), field = form.elements.namedItem("new-ceiling");
  fillCard(screen, card);
  part("now", screen).textContent = rials(card.ceiling_rial);
  part("most", screen).textContent = rials(card.ceiling_max_rial);
  field.value = grouped(card.ceiling_rial);
  field.addEventListener("input", () => {
    const typed = onlyDigits(field.value);
    field.value = typed ? grouped(Number(typed)) : "";
  });
  onSubmit(form, async () => {
    const wanted = onlyDigits(field.value);
    if (!wanted || Number(wanted) > card.ceiling_max_rial) throw mistaken("error.ceiling");
    const asked = await api.setCeiling(cardRef, Number(wanted));
    if (!asked.activation_id) return done(screen, say("ceiling.lowered"));
    return askSms(screen, asked, async (secret) => {
      const proof = await proofFor(asked.activation_id, secret, "ceiling", cardRef);
      const found = await api.confirmCeiling(cardRef, { activation_id: asked.activation_id, proof });
      const next = found.cards.find((each) => each.card_ref === cardRef)?.ceiling_next;
      const when = next && { amount: rials(next.rial), time: moment(next.at_ms) };
      done(screen, when ? say("ceiling.next", when) : say("ceiling.raised"));
    });
  });
}

function done(screen, sentence) {
  announce(sentence);
  go("#/settings", screen);
}
