// Adds a copy button to every piece of text that people paste elsewhere. Without it the text can still be selected.
(() => {
  "use strict";
  const status = document.createElement("p");
  status.className = "unseen";
  status.setAttribute("role", "status");
  document.body.append(status);

  for (const box of document.querySelectorAll(".copyable")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    const label = box.querySelector("pre").getAttribute("aria-label");
    button.setAttribute("aria-label", `Copy: ${label}`);
    button.addEventListener("click", () => copy(box.querySelector("code"), button));
    box.append(button);
  }

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
