// Copy buttons, which are hidden where there is no JavaScript; forms that must
// not be sent twice by a double click; and a bookmarklet, which is to be dragged.
"use strict";

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return;
  } catch {
    // Not a secure context: the old way.
  }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const name = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await copy(new URL(button.dataset.copy, location.href).href);
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = name; }, 1500);
    button.focus();
  });
}

for (const form of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  addEventListener("pageshow", () => { sent = false; });
}

for (const link of document.querySelectorAll("a[data-drag]")) {
  link.addEventListener("click", (event) => event.preventDefault());
}
