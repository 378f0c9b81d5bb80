// The form of a transfer is complete without this file. It groups what is typed, keeps cards of real banks out of a sandbox,
// and reads the amount back in tomans: the next page tells it again, but a zero too many is best seen where it is typed.
"use strict";
(() => {
  const { digits, grouping, byFour, mistake, isReal } = globalThis.typing;
  const workplace = new URL("pow.js", document.currentScript.src).href;
  const byThree = (number) => number.replace(/^0+(?=.)/, "").slice(0, 15).replace(/\B(?=(\d{3})+$)/g, ",");
  const form = document.forms[0], { pan, destination_pan: destination, amount } = form.elements;
  const cards = [pan, destination].filter(Boolean);
  const refused = (card) => "real" in card.dataset && isReal(digits(card.value));
  for (const card of cards) {
    grouping(card, byFour, (_, typed) => { if (typed) mistake(card, refused(card) ? card.dataset.real : ""); });
  }
  form.addEventListener("submit", (event) => {
    const cancels = event.submitter?.value === "cancel", real = !cancels && cards.find(refused);
    for (const card of cards) card.disabled = cancels;
    if (!real) return;
    event.preventDefault();
    mistake(real, real.dataset.real);
    real.focus();
  });

  // Where much was asked with these cards the browser works for its turn and goes on; if it cannot, a picture is there.
  const challenge = document.getElementById("challenge"), bits = Number(challenge?.dataset.bits);
  if (bits) {
    import(workplace).then(({ solve }) => solve(form.elements.challenge.value, bits)).then((work) => {
      form.elements.work.value = work;
      form.requestSubmit(form.querySelector(".first"));
    }).catch(() => {});
  }
  if (!amount) return;

  const place = document.getElementById("amount-toman"), numerals = JSON.parse(place.dataset.numerals), most = 1e12;
  const spelled = (number) => {
    const words = [];
    for (const [value, word] of numerals) {
      if (number < value) continue;
      const times = Math.floor(number / value);
      words.push(value < 1000 ? word : `${spelled(times)} ${word}`);
      number -= times * value;
    }
    return words.join(" و ");  // only Persian is spelled
  };
  grouping(amount, byThree, (number) => {
    const toman = Math.floor(Number(number) / 10);
    const told = numerals.length ? spelled(toman) : toman.toLocaleString("en");
    place.textContent = toman && toman < most ? place.dataset.sentence.replace("{toman}", told) : "\u00a0";  // keeps its line
  });
})();
