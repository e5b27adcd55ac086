// The theme: the reader's choice, kept in this browser; without one, the system's.
(() => {
  "use strict";
  const key = "entente-theme";
  const themes = ["automatic", "light", "dark"];
  const root = document.documentElement;
  // Storage may be forbidden for files; the choice then lasts as long as the page.
  const stored = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const store = (theme) => { try { localStorage.setItem(key, theme); } catch { /* as above */ } };

  let theme = themes.includes(stored()) ? stored() : "automatic";
  function show() {
    if (theme === "automatic") delete root.dataset.theme;
    else root.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (button) button.textContent = `Theme: ${theme}`;
    document.dispatchEvent(new Event("themechange"));
  }
  show();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      store(theme);
      show();
    });
    show();
  });
})();
