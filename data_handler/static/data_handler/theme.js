// Loaded before anything is painted, so that the chosen theme is there from the first frame. The administration keeps
// its theme under the same name, so one choice holds for both.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Without storage the system's theme is as good.
  }
})();
