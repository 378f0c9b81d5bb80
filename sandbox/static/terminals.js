// The pad types into the field, the slip is printed, and whoever does nothing is asked whether time is needed.
"use strict";
(() => {
  const form = document.querySelector("[data-idle]"), dialog = document.getElementById("more");
  if (!form) return;
  let field = form.querySelector("input:not([type=checkbox])"), timer;

  form.addEventListener("focusin", (event) => { if (event.target.matches("input:not([type=checkbox])")) field = event.target; });
  form.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-digit], [data-clear], [data-print]");
    if (!pressed) return;
    if ("print" in pressed.dataset) { print(); return; }
    const room = field.maxLength < 0 || field.value.length < field.maxLength;
    if ("clear" in pressed.dataset) field.value = "";
    else if (room) field.value += pressed.dataset.digit;
  });

  const giveBack = () => dialog.querySelector("[name=key]").click();
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => { dialog.showModal(); timer = setTimeout(giveBack, form.dataset.more * 1000); }, form.dataset.idle * 1000);
  };
  dialog.querySelector("[data-stay]").addEventListener("click", () => { dialog.close(); wait(); });
  dialog.addEventListener("close", wait);
  for (const kind of ["pointerdown", "keydown", "input"]) document.addEventListener(kind, () => { if (!dialog.open) wait(); });
  wait();
})();
