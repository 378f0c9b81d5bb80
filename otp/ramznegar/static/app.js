// The app: which screen stands at which address, and what happens around all of them.
import * as api from "./api.js";
import * as cards from "./cards.js";
import { load } from "./clock.js";
import { stopTicking } from "./codepanel.js";
import * as home from "./home.js";
import { purchase } from "./purchase.js";
import { prepare } from "./scan.js";
import * as session from "./session.js";
import * as settings from "./settings.js";
import * as start from "./start.js";
import { read } from "./store.js";
import { chooseLanguage, languageAtStart, languageNow } from "./text.js";
import { name, part, show, worded, wordsOf } from "./ui.js";

const STAGES = {
  none: [[/^#\/activate$/, start.activate], [/^#\/help$/, start.help], [/^/, start.welcome]],
  pending: [[/^#\/help$/, start.help], [/^#\/activate$/, start.activate], [/^/, start.choosePin]],
  active: [
    [/^#\/cards\/([0-9a-f-]{36})$/, home.second],
    [/^#\/cards\/([0-9a-f-]{36})\/first$/, home.first],
    [/^#\/cards\/([0-9a-f-]{36})\/purchase$/, purchase],
    [/^#\/cards\/([0-9a-f-]{36})\/ceiling$/, cards.ceiling],
    [/^#\/add$/, cards.add],
    [/^#\/settings$/, settings.settings],
    [/^#\/settings\/finger$/, settings.finger],
    [/^#\/settings\/pin$/, settings.changePin],
    [/^#\/help$/, start.help],
    [/^/, home.home],
  ],
};

async function route() {
  stopTicking();
  session.whenLocked(() => {});
  const at = location.hash;
  try { await drawn(at); } catch (error) { if (location.hash === at || api.isGone(error)) trouble(error); }
  if (location.hash === at) name();
}

// Draws the screen of an address, unless its holder has gone on to another one meanwhile.
async function drawn(at) {
  await load();
  const stage = (await read("device"))?.stage ?? "none";
  if (location.hash !== at) return;
  document.documentElement.dataset.stage = stage;
  const [address, screen] = STAGES[stage].find(([each]) => each.test(at));
  await screen(...at.match(address).slice(1));
}

// A failure that no screen told by itself.
function trouble(error) {
  const screen = show("trouble");
  part("sentence", screen).textContent = wordsOf(error);
  part("again", screen).hidden = !api.isGone(error);
  part("again", screen).addEventListener("click", settings.emptied);
  name();
}

function frame() {
  worded(document.querySelector("header"));
  worded(document.getElementById("offline"));
}

function signOfNetwork() {
  document.getElementById("offline").hidden = navigator.onLine;
}

async function serveOffline() {
  const way = "/ramznegar/sw.js";
  const policy = globalThis.trustedTypes?.createPolicy("ramznegar", {
    createScriptURL: (address) => {
      if (address !== way) throw new TypeError(address);
      return address;
    },
  });
  await navigator.serviceWorker?.register(policy ? policy.createScriptURL(way) : way, { scope: "/ramznegar/" });
  await navigator.serviceWorker?.ready;
  document.documentElement.dataset.offline = "ready";
  if (document.documentElement.dataset.stage !== "active") return;
  await prepare();
  document.documentElement.dataset.scanner = "ready";
}

async function begin() {
  chooseLanguage(languageAtStart());
  frame();
  document.getElementById("language").addEventListener("click", () => {
    chooseLanguage(languageNow() === "fa" ? "en" : "fa");
    frame();
    route();
  });
  addEventListener("hashchange", route);
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("a")?.hash === location.hash) route();
  });
  for (const sign of ["online", "offline"]) addEventListener(sign, signOfNetwork);
  signOfNetwork();
  session.guard();
  await route();
  serveOffline().catch(() => {});
  if (document.documentElement.dataset.stage === "active") api.cards().then(freshen, refused);
}

// The list may be newer at the bank; only the home screen is drawn again for it.
function freshen() {
  if (["", "#/"].includes(location.hash)) route();
}

function refused(error) {
  if (api.isGone(error)) trouble(error);
}

begin();
