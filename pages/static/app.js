// This script shows the copy buttons, keeps a double click from sending a form
// twice, and keeps a click from following the bookmarklet, which is to be dragged.
"use strict";

// copy reports whether the text is in the clipboard.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The clipboard API is missing (no secure context) or not allowed.
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.style.position = "fixed"; // the page does not scroll to it
  area.style.top = "0";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

// A button copies its data-copy. If it has data-address, that is an address, which
// may be relative, and the absolute address is copied.
for (const button of document.querySelectorAll("button[data-copy]")) {
  const name = button.textContent;
  const { copy: text, address, copied } = button.dataset;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copy(address === undefined ? text : new URL(text, location.href).href);
    button.focus({ preventScroll: true });
    if (!done) return;
    button.textContent = copied;
    setTimeout(() => { button.textContent = name; }, 1500);
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
