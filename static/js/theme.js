// Light, dark or as the system: loaded before the page paints, so that nothing flashes.
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  const stored = () => {
    try { return localStorage.getItem("theme") || "system"; } catch { return "system"; }
  };

  const apply = (choice) => {
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
    else delete root.dataset.theme;
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    }
    document.dispatchEvent(new CustomEvent("theme:change"));
  };

  apply(stored());
  document.addEventListener("DOMContentLoaded", () => apply(stored()));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    try { localStorage.setItem("theme", button.dataset.themeChoice); } catch { /* private browsing: this page only */ }
    apply(button.dataset.themeChoice);
  });
  window.addEventListener("storage", (event) => { if (event.key === "theme") apply(stored()); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(stored()));
})();
