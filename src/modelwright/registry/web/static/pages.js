// Adds a copy button to every piece of text that people paste elsewhere. Without it the text can still be selected.
// What is fetched in place (search, verification) and refused, or leads elsewhere, is shown as the page that it is.
(() => {
  "use strict";
  const status = document.createElement("p");
  status.className = "unseen";
  status.setAttribute("role", "status");
  document.body.append(status);

  equip(document);
  document.addEventListener("modelwright:replaced", (event) => equip(event.detail));

  function equip(part) {
    for (const box of part.querySelectorAll(".copyable")) addButton(box);
  }

  function addButton(box) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    const label = box.querySelector("pre").getAttribute("aria-label");
    button.setAttribute("aria-label", `Copy: ${label}`);
    button.addEventListener("click", () => copy(box.querySelector("code"), button));
    box.append(button);
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, pathInfo } = event.detail;
    const asked = new URL(pathInfo.finalRequestPath, location.href);
    if (xhr.status < 400 && new URL(xhr.responseURL).pathname === asked.pathname) return;
    event.preventDefault();
    location.assign(asked);
  });

  document.addEventListener("htmx:sendError", () => {
    document.querySelector("#found, #verified").textContent = "The registry does not answer. Try again.";
  });

  async function copy(code, button) {
    let done = true;
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Press Ctrl-C";
    status.textContent = button.textContent;
    setTimeout(() => { button.textContent = "Copy"; status.textContent = ""; }, 2000);
  }
})();
