// Loaded before anything can be pressed: what is pressed before the page's modules are there is kept, and pressed again
// once they are. Modules run before DOMContentLoaded; links work without them, and forms that say how they are sent.
(() => {
  const NATIVE = ["get", "post"];
  const kept = new Map();

  function keep(event) {
    const pressed = event.type === "submit" ? event.target : event.target.closest("button[type=button]");
    if (!pressed || NATIVE.includes(pressed.getAttribute("method"))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    kept.set(pressed, event.type === "submit" ? () => pressed.requestSubmit(event.submitter) : () => pressed.click());
  }

  addEventListener("click", keep, true);
  addEventListener("submit", keep, true);
  document.addEventListener("DOMContentLoaded", () => {
    removeEventListener("click", keep, true);
    removeEventListener("submit", keep, true);
    for (const press of kept.values()) press();
  });
})();
