// The form of a transfer is complete without this file. It groups what is typed and reads the amount back in tomans: the
// next page tells it again, but a zero too many is best seen where it is typed.
"use strict";
(() => {
  const { digits, regroup, byFour } = globalThis.typing;
  const byThree = (number) => number.replace(/^0+(?=.)/, "").replace(/\B(?=(\d{3})+$)/g, ",");
  const groups = (input, way) => {
    if (!input) return;
    const group = () => regroup(input, way(digits(input.value)));
    input.addEventListener("input", group);
    group();
  };
  const [pan, destination, amount] = ["pan", "destination_pan", "amount"].map((id) => document.getElementById(id));
  groups(pan, byFour);
  groups(destination, byFour);
  groups(amount, byThree);
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
  const readBack = () => {
    const toman = Math.floor(Number(digits(amount.value)) / 10);
    const told = numerals.length ? spelled(toman) : toman.toLocaleString("en");
    place.textContent = toman && toman < most ? place.dataset.sentence.replace("{toman}", told) : "\u00a0";  // keeps its line
  };
  amount.addEventListener("input", readBack);
  readBack();
})();
