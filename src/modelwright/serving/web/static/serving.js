// Sends the form of a model and puts the answer where it belongs, without loading the page anew. The server makes the
// same page as for a browser without JavaScript; its part with the form is taken over whole.
(() => {
  "use strict";
  let newest = 0;
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form.try")) return;
    event.preventDefault();
    send(event.target);
  });

  async function send(form) {
    const number = ++newest;
    const said = form.querySelector("#sending");
    said.textContent = "Asking …";
    let page;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { Accept: "text/html" },
        cache: "no-store",
      });
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      said.textContent = "The server does not answer. Try again.";
      return;
    }
    if (number !== newest) return;
    const made = page.querySelector("#try");
    if (made === null) {
      said.textContent = page.querySelector("main")?.textContent.trim() || "The server does not answer as it should.";
      return;
    }
    const open = document.querySelector("#same")?.open;
    document.querySelector("#try").replaceWith(document.importNode(made, true));
    const same = document.querySelector("#same");
    if (same !== null && open !== undefined) same.open = open;
    document.dispatchEvent(new CustomEvent("modelwright:replaced", { detail: document.querySelector("#try") }));
    document.querySelector("#result")?.focus();
  }
})();
