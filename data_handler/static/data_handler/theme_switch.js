/** The light, dark or system theme; `themechange` on the document tells those who paint by themselves. */

const root = document.documentElement;
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function announce() {
  document.dispatchEvent(new Event("themechange"));
}

function choose(theme) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // It lasts as long as this page, then.
  }
  announce();
}

for (const select of document.querySelectorAll(".theme-switch")) {
  select.value = root.dataset.theme ?? "system";
  select.hidden = false;
  select.addEventListener("change", () => choose(select.value));
}
prefersDark.addEventListener("change", announce);
