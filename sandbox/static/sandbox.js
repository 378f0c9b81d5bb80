// Copies what a button names, and puts each message that arrives on top of the list.
"use strict";
(() => {
  document.documentElement.classList.add("scripted");
  const live = document.getElementById("live");

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("done");
    live.textContent = live.dataset.copied;
    setTimeout(() => { button.classList.remove("done"); live.textContent = ""; }, 2000);
  });

  for (const log of document.querySelectorAll("[data-feed]")) {
    const list = log.querySelector("ol"), pattern = log.querySelector("template").content;

    new EventSource(log.dataset.feed).onmessage = (event) => {
      const message = JSON.parse(event.data), item = pattern.cloneNode(true);
      for (const place of item.querySelectorAll("[data-of]")) {
        const text = message[place.dataset.of];
        place.textContent = text ?? "";
        const holder = place.closest(".chips span, .code");
        if (holder) holder.hidden = !text;
      }
      item.querySelector("time").dateTime = message.at;
      item.querySelector("[data-copy]").dataset.copy = message.code ?? "";
      list.prepend(item);
      log.querySelector(".empty").hidden = true;
    };
  }
})();
