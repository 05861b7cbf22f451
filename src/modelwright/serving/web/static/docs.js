// Starts Swagger UI with the document that the page names, in the colours that the reader's system asks for.
(() => {
  "use strict";
  const box = document.querySelector("#swagger-ui");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const colour = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", colour);
  colour();
  window.ui = SwaggerUIBundle({
    domNode: box,
    url: box.dataset.url,
    validatorUrl: null,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    layout: "BaseLayout",
  });
})();
