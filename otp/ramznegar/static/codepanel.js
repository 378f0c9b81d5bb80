// A code with the time it has left; it is made anew at every step, and gone when the app locks.
import { STEP_SECONDS, stepAt } from "./codes.js";
import { now } from "./clock.js";
import * as session from "./session.js";
import { digits, say } from "./text.js";
import { announce, copyOf, part } from "./ui.js";
import { fillPicture } from "./unlock.js";

const TICK_MS = 250;
let ticking = 0;

export function stopTicking() {
  clearInterval(ticking);
  ticking = 0;
}

const inGroups = (code) => `${code.slice(0, Math.floor(code.length / 2))} ${code.slice(Math.floor(code.length / 2))}`;

async function copied(code, button) {
  await navigator.clipboard.writeText(code);
  button.textContent = say("copied");
  announce(say("copied"));
}

// `make(step)` gives the code of a step; `next` shows the coming one as well, where the bank would take it. A panel that
// was stopped while its first code was made is not shown any more.
export async function showCode(place, make, { next = false } = {}) {
  stopTicking();
  const panel = copyOf("code"), ring = panel.querySelector(".ring circle:last-child");
  const [code, coming, left, button] = ["code", "next", "left", "copy"].map((name) => part(name, panel));
  fillPicture(part("picture", panel), session.picture());
  part("relock", panel).addEventListener("click", session.lock);
  let step = -1, present = "";
  const turn = async () => {
    const seconds = now() / 1000, at = stepAt(now());
    const remaining = Math.ceil(STEP_SECONDS - seconds % STEP_SECONDS);
    ring.setAttribute("stroke-dasharray", `${remaining} ${STEP_SECONDS}`);
    left.textContent = say("left", { seconds: digits(remaining) });
    if (at === step || !session.isOpen()) return;
    step = at;
    present = await make(at);
    code.textContent = inGroups(present);
    button.textContent = say("copy");
    if (next) coming.textContent = inGroups(await make(at + 1));
  };
  part("coming", panel).hidden = !next;
  button.addEventListener("click", () => copied(present, button));
  const own = setInterval(turn, TICK_MS);
  ticking = own;
  await turn();
  if (ticking === own) place.replaceChildren(panel);
}
