// The payment page is complete without this file; it only spares the customer typing and waiting.
"use strict";
(() => {
  const root = document.documentElement, by = (id) => document.getElementById(id);
  root.classList.add("scripted");
  const persian = root.lang === "fa";
  const ascii = (text) => text.replace(/[۰-۹]/g, (c) => c.charCodeAt(0) - 1776).replace(/[٠-٩]/g, (c) => c.charCodeAt(0) - 1632);
  const digits = (text) => ascii(text).replace(/\D/g, "");
  const shown = (value) => persian ? String(value).replace(/\d/g, (c) => "۰۱۲۳۴۵۶۷۸۹"[c]) : String(value);
  const clock = (seconds) => shown(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
  const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const byFour = (number) => number.slice(0, 16).replace(/(.{4})(?=.)/g, "$1 ");
  // Digits of any script in groups, the caret behind as many of them as before.
  const grouping = (input, way, then) => {
    let held;
    const group = (event) => {
      let number = digits(input.value), before = digits(input.value.slice(0, input.selectionStart)).length, caret = 0;
      const step = { deleteContentForward: 0, deleteContentBackward: -1 }[event?.inputType];
      if (step <= 0 && number === held) {  // a gap was deleted: the digit beyond it was meant
        before += step;
        number = number.slice(0, before) + number.slice(before + 1);
      }
      const grouped = way(number);
      held = digits(grouped);
      if (input.value !== grouped) {
        while (before && caret < grouped.length) if (grouped[caret++] >= "0") before--;
        input.value = grouped;
        if (document.activeElement === input) input.setSelectionRange(caret, caret);  // elsewhere some browsers take the focus
      }
      then?.(held, event);
    };
    input.addEventListener("input", group);
    // A whole card number takes the place of whatever stood there.
    input.addEventListener("paste", (event) => { if (digits(event.clipboardData.getData("text")).length > 15) input.select(); });
    group();
  };
  const mistake = (input, sentence) => {
    const place = by(`${input.id}-mistake`);
    place.textContent = sentence;
    place.hidden = !sentence;
    if (sentence) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
  };
  const luhn = (number) => [...number].reverse().reduce((sum, digit, place) => {
    const value = Number(digit) * (place % 2 ? 2 : 1);
    return sum + (value > 9 ? value - 9 : value);
  }, 0) % 10 === 0;
  // Test cards begin with 9990, and no bank's do.
  const isReal = (number) => number.length === 16 && luhn(number) && !number.startsWith("9990");
  // The form of a transfer uses these as well.
  globalThis.typing = { digits, grouping, byFour, mistake, isReal };
  const make = (tag, text, more) => Object.assign(document.createElement(tag), { textContent: text }, more);
  const countdown = (seconds, tick) => {
    const end = Date.now() + seconds * 1000;
    const step = () => {
      const left = Math.max(0, Math.round((end - Date.now()) / 1000));
      tick(left);
      if (!left) clearInterval(timer);
    };
    const timer = setInterval(step, 1000);
    step();
    return timer;
  };
  const tell = (text) => {
    const live = by("live");
    live.textContent = "";
    setTimeout(() => { live.textContent = text; }, 60);
  };

  // A receipt leads back to the shop by itself, unless it is stopped in time or used: who keeps it has not finished.
  const leadBack = (sheet) => {
    const onward = sheet.querySelector("[data-onward]"), stop = by("stay");
    if (!onward) return () => {};
    const seconds = Number(onward.dataset.seconds);
    const timer = countdown(seconds, (left) => {
      onward.textContent = fill(onward.dataset.sentence, { seconds: shown(left) });
      if (!left) location.replace(onward.dataset.onward);
    });
    const stay = () => {
      clearInterval(timer);
      onward.hidden = stop.hidden = true;
    };
    stop.addEventListener("click", () => { stay(); sheet.querySelector(".press.first").focus(); });
    tell(onward.textContent);
    return stay;
  };
  const copy = async (sheet, button) => {
    const lines = [...sheet.querySelectorAll("dl > div")].map((line) => [...line.children].map((part) => part.innerText).join(": "));
    try {
      await navigator.clipboard.writeText([sheet.querySelector("h1").innerText, sheet.querySelector(".amount").innerText, ...lines].join("\n"));
      button.textContent = button.dataset.done;
      tell(button.dataset.done);
    } catch { getSelection().selectAllChildren(sheet); }
  };
  // A page that waits asks for itself, more and more seldom, and changes only when there is news. XMLHttpRequest is the
  // one way to read a page under a policy without trusted types.
  const read = (address) => new Promise((done, failed) => {
    const call = new XMLHttpRequest();
    call.open("GET", address);
    call.responseType = "document";
    call.timeout = 10000;
    call.onload = () => { if (call.status === 200 && call.response) done(call.response); else failed(); };
    call.onerror = call.ontimeout = failed;
    call.send();
  });
  const watch = (sheet, seconds, rounds = 400) => {
    if (!rounds) return;
    setTimeout(async () => {
      try {
        const page = await read(location.href), next = page.querySelector("[data-kind]");
        if (!next) { location.reload(); return; }  // a card can be typed again
        if (next.dataset.kind !== sheet.dataset.kind) { change(sheet, document.adoptNode(next), page.title); return; }
      } catch {}  // the next time, then
      watch(sheet, Math.min(seconds * 1.3, 30), rounds - 1);
    }, seconds * 1000);
  };
  const change = (sheet, next, title) => {
    const held = sheet.contains(document.activeElement), heading = next.querySelector("h1");
    sheet.replaceWith(next);
    document.title = title;
    if (held) { heading.tabIndex = -1; heading.focus(); }
    tell([heading, ...next.querySelectorAll("header + .calm")].map((part) => part.innerText).join(". "));
    arrive(next);
  };
  const arrive = (sheet) => {
    const stay = leadBack(sheet), copying = sheet.querySelector("#copy");
    for (const button of sheet.querySelectorAll("[data-print]")) {  // PDF is the browser's own
      button.addEventListener("click", () => { stay(); print(); });
    }
    copying?.addEventListener("click", () => { stay(); copy(sheet, copying); });
    if (sheet.dataset.again) watch(sheet, Number(sheet.dataset.again));
  };
  const sheet = document.querySelector("[data-kind]");
  if (sheet) arrive(sheet);
  by("errors")?.focus();

  const form = document.forms[0], { words, banks } = globalThis.said ?? {};
  if (!words) return;
  history.replaceState(null, "", form.getAttribute("action"));
  let busy = false;

  // The time that is left, and more of it on demand once it runs short.
  const left = by("left"), extend = by("extend");
  let running;
  const run = (seconds) => {
    clearInterval(running);
    running = countdown(seconds, (rest) => {
      left.textContent = clock(rest);
      by("clock").classList.toggle("late", rest <= 120);
      if (extend) extend.hidden = rest > 120;
      if (rest === 120) tell(words.two_minutes);
      if (!rest && !busy) location.reload();
    });
  };
  run(Number(left.dataset.seconds));
  if (form.id !== "card") return;  // no tries are left

  const pan = by("pan"), cvv2 = by("cvv2"), month = by("exp_month"), year = by("exp_year"), pin = by("pin");
  const fields = [pan, cvv2, month, year, pin];
  const ask = by("request_pin"), pay = by("pay");
  const workplace = new URL("pow.js", document.currentScript.src).href;

  // What a script types counts as typed.
  const put = (input, value) => {
    input.value = value;
    input.dispatchEvent(new Event("input"));
  };
  const refused = () => "sandbox" in form.dataset && isReal(digits(pan.value));
  const faultOfPan = () => {
    const number = digits(pan.value);
    if (number.length !== 16) return words.length;
    if (!luhn(number)) return words.luhn;
    return refused() ? words.real : "";
  };
  const bankOf = (number) => banks[number.slice(0, 8)] ?? banks[number.slice(0, 7)] ?? banks[number.slice(0, 6)];
  // Of the banks in trouble a card's first digits leave its own.
  const troubles = [...document.querySelectorAll("#troubles li")];
  const narrow = (bank, known) => {
    for (const trouble of troubles) {
      const off = known && trouble.dataset.bank !== bank;
      if (known && !off && trouble.dataset.told !== "1") { trouble.dataset.told = "1"; tell(trouble.textContent); }
      trouble.hidden = off;
    }
    if (troubles.length) by("troubles").hidden = troubles.every((trouble) => trouble.hidden);
  };
  grouping(pan, byFour, (number, typed) => {
    const bank = bankOf(number), hint = bank ? fill(words.bank, { bank }) : words.hint;
    narrow(bank, number.length >= 6);
    if (by("pan-hint").textContent !== hint) by("pan-hint").textContent = hint;
    const fault = faultOfPan();
    if (typed && (!fault || refused())) mistake(pan, fault);
  });
  pan.addEventListener("change", () => { if (pan.value) mistake(pan, faultOfPan()); });

  for (const input of [cvv2, month, year, pin]) {
    input.addEventListener("input", () => {
      const value = digits(input.value);
      if (value !== input.value) input.value = value;
      if (value) mistake(input, "");
    });
  }
  // What is typed under dots can be looked at.
  for (const input of [cvv2, pin]) {
    const eye = make("button", "", { type: "button", className: "eye", ariaPressed: "false", ariaLabel: fill(words.show, { field: input.labels[0].textContent }) });
    eye.dataset.eye = input.id;
    eye.addEventListener("click", () => { eye.ariaPressed = String(input.classList.toggle("plain")); });
    input.after(eye);
  }

  // A keypad in a new order each time, for whoever distrusts the keyboard; it only types.
  const shuffled = () => {
    const chance = crypto.getRandomValues(new Uint32Array(10));
    return [..."0123456789"].sort((one, other) => chance[one] - chance[other]);
  };
  for (const input of [cvv2, pin]) {
    const box = input.parentElement, label = fill(words.keypad, { field: input.labels[0].textContent });
    const toggle = make("button", "", { type: "button", className: "eye keys", ariaLabel: label });
    const keypad = make("div", "", { id: `${input.id}-keypad`, className: "keypad", role: "group", ariaLabel: label, hidden: true });
    const type = (value) => put(input, value.slice(0, input.maxLength));
    const key = (text, press) => {
      const button = make("button", text, { type: "button", className: "press second" });
      button.addEventListener("click", press);
      return button;
    };
    const show = (open) => {
      keypad.hidden = !open;
      toggle.setAttribute("aria-expanded", String(open));
      if (open) {
        keypad.replaceChildren(...shuffled().map((digit) => key(shown(digit), () => type(input.value + digit))),
          key(words.erase, () => type(input.value.slice(0, -1))), key(words.close, () => { show(false); toggle.focus(); }));
      }
    };
    toggle.dataset.keypad = input.id;
    toggle.setAttribute("aria-controls", keypad.id);
    toggle.addEventListener("click", () => show(keypad.hidden));
    keypad.addEventListener("keydown", (event) => { if (event.key === "Escape") { show(false); toggle.focus(); } });
    show(false);
    box.append(toggle);
    (box.closest(".tight") ?? box).after(keypad);
  }

  // The expiry is read back in words, and a swapped month and year are put right with one tap.
  const readBack = () => {
    const echo = by("expiry-hint"), m = Number(month.value), y = Number(year.value.replace(/^1[34](?=\d\d$)/, ""));
    if (!month.value || year.value.length < 2) { echo.textContent = words.expiry; return; }
    if (m > 12 && y >= 1 && y <= 12) {
      const swap = make("button", words.swap, { type: "button", className: "press second small" });
      swap.addEventListener("click", () => {
        put(month, String(y).padStart(2, "0"));
        put(year, String(m).padStart(2, "0"));
        year.focus();
      });
      echo.replaceChildren(`${words.swapped} `, swap);
    } else if (m >= 1 && m <= 12) {
      const full = (year.value.length === 4 ? Number(year.value) : (y < 60 ? 1400 : 1300) + y);
      echo.textContent = fill(words.echo, { month: words.months[m - 1], year: shown(full) });
    } else echo.textContent = words.expiry;
  };
  month.addEventListener("input", readBack);
  year.addEventListener("input", readBack);
  readBack();

  // Enter goes to the next empty field; in a full form it means "pay", the form's first button.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
    const empty = fields.find((input) => !input.value);
    if (empty) { event.preventDefault(); empty.focus(); }
  });

  // Asking for the dynamic PIN without leaving the page.
  let resend;
  const wait = (seconds) => {
    clearInterval(resend);
    ask.setAttribute("aria-disabled", "true");
    resend = countdown(seconds, (left) => {
      if (left) ask.textContent = fill(words.resend_in, { time: clock(left) }); else free(words.resend);
      if ([60, 30, 10].includes(left) && left !== seconds) tell(fill(words.left, { seconds: shown(left) }));
    });
  };
  const free = (label) => { ask.removeAttribute("aria-disabled"); ask.textContent = label; };
  const showAnswer = (tone, sentences) => {
    const place = by("pin-answer");
    place.className = `notice ${tone}`;
    place.replaceChildren(...sentences.map((sentence) => make("p", sentence)));
    place.hidden = !sentences.length;
  };
  const report = (answer) => {
    const sentences = [answer.message, answer.alike].filter(Boolean);
    showAnswer(answer.tone, sentences);
    tell(sentences.join(" "));
  };
  // What became of the SMS, asked for as seldom as the gateway says and at most a dozen times a code.
  const delivery = by("pin-delivery");
  let following;
  const showDelivery = (answer) => {
    if (answer.message === delivery.textContent) return;
    delivery.textContent = answer.message;
    delivery.className = answer.tone === "warn" ? "mistake" : "hint";
    delivery.hidden = !answer.message;
    if (answer.message) tell(answer.message);
  };
  const follow = (seconds, rounds = 12) => {
    clearTimeout(following);
    if (!seconds || !rounds) return;
    following = setTimeout(async () => {
      try {
        const response = await fetch(delivery.dataset.url, { headers: { Accept: "application/json" } });
        const answer = await response.json();
        showDelivery(answer);
        follow(answer.again_in_seconds, rounds - 1);
      } catch {}  // the page is complete without
    }, seconds * 1000);
  };
  const prove = (challenge, bits) => import(workplace).then(({ solve }) => solve(challenge, bits)).catch(() => null);
  // The browser reads the SMS for as long as its code lives, or until the form goes away.
  let reading = new AbortController();
  const readSms = () => {
    if (!("OTPCredential" in window)) return;
    reading.abort();
    const own = reading = new AbortController();
    setTimeout(() => own.abort(), 120000);
    navigator.credentials.get({ otp: { transport: ["sms"] }, signal: own.signal })
      .then((credential) => { if (credential) { put(pin, credential.code); tell(words.read); } })
      .catch(() => {});
  };
  // Help for a late SMS opens quietly while no code was typed; it stands below the buttons, so that nothing moves.
  const late = by("late");
  let patience;
  const offerHelp = () => {
    late.hidden = false;
    clearTimeout(patience);
    patience = setTimeout(() => { if (!pin.value) late.open = true; }, 20000);
  };
  ask.addEventListener("click", async (event) => {
    event.preventDefault();
    if (ask.getAttribute("aria-disabled") === "true") return;
    const fault = faultOfPan();
    if (fault) { mistake(pan, fault); tell(fault); pan.focus(); return; }
    const label = ask.textContent, body = new FormData(form);
    body.delete("pin");
    body.set("action", "request_pin");
    ask.setAttribute("aria-disabled", "true");
    ask.textContent = words.requesting;
    showAnswer("", [words.requesting]);  // takes its place at once, so that nothing moves when the answer comes
    readSms();
    const send = async () => (await fetch("", { method: "POST", body, headers: { Accept: "application/json" } })).json();
    try {
      let answer = await send();
      if (answer.challenge) {  // many asked from this address; the browser works for its turn, unseen
        const work = await prove(answer.challenge, answer.bits);
        if (work === null) { form.requestSubmit(ask); return; }  // the page comes back with a picture to read
        body.set("challenge", answer.challenge);
        body.set("work", work);
        answer = await send();
      }
      if (answer.reload) { location.reload(); return; }
      if (answer.field) {
        free(label);
        showAnswer("", []);
        mistake(by(answer.field), answer.message);
        tell(answer.message);
        by(answer.field).focus();
        return;
      }
      if (answer.tone === "good") { by("errors")?.remove(); mistake(pin, ""); }  // what was wrong before is settled
      report(answer);
      showDelivery({ tone: "good", message: "" });
      follow(answer.follow_in_seconds);
      if (answer.resend_in_seconds) wait(answer.resend_in_seconds); else free(label);
      run(answer.seconds_left);
      if (answer.tone === "good") { offerHelp(); pin.focus(); }
    } catch {
      free(label);
      report({ tone: "warn", message: words.offline });
    }
  });
  if (ask.dataset.wait) wait(Number(ask.dataset.wait));
  if (!late.hidden) offerHelp();
  if (delivery.dataset.again) follow(Number(delivery.dataset.again));

  // One press pays once. A card of a real bank never leaves a sandbox page; no button sends what it does not need.
  const unneeded = { request_pin: [pin], extend: [cvv2, pin], cancel: fields };
  form.addEventListener("submit", (event) => {
    const deed = event.submitter?.value ?? "pay";
    if (busy) { event.preventDefault(); return; }
    if (deed !== "cancel" && refused()) {
      event.preventDefault();
      mistake(pan, words.real);
      pan.focus();
      return;
    }
    busy = true;
    reading.abort();
    for (const input of unneeded[deed] ?? []) input.disabled = true;
    if (deed === "pay") { pay.setAttribute("aria-disabled", "true"); pay.textContent = words.paying; tell(words.paying); }
  });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
