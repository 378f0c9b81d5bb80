"use strict";
/* Sends the requests of the reference page. The key is read from its field for each request and kept nowhere. */
(() => {
  const key = document.getElementById("key");
  if (!key) return;
  key.parentElement.hidden = false;

  const addressOf = (section, form) => {
    let path = section.dataset.path;
    const query = new URLSearchParams();
    for (const field of form.querySelectorAll("input[data-in]")) {
      if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
      else if (field.value) query.set(field.name, field.value);
    }
    return query.size ? `${path}?${query}` : path;
  };

  const send = async (section, form, output) => {
    const method = section.dataset.method;
    const headers = { Authorization: `Bearer ${key.value.trim()}` };
    const body = form.querySelector("textarea")?.value;
    if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID();
    if (body) headers["Content-Type"] = "application/json";
    const options = { method, headers, body: body || undefined, credentials: "omit", cache: "no-store" };
    try {
      const answer = await fetch(addressOf(section, form), options);
      output.textContent = `${answer.status}\n${JSON.stringify(await answer.json(), null, 2)}`;
    } catch {
      output.textContent = output.dataset.offline;
    }
  };

  for (const section of document.querySelectorAll(".operation")) {
    const form = section.querySelector("form");
    section.querySelector("details").hidden = false;
    form.addEventListener("submit", event => {
      event.preventDefault();
      send(section, form, form.querySelector("pre"));
    });
  }
})();
