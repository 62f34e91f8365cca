// Figures that open how they came about: inside a dialog where scripts run, as a page of their own where they do not.
(() => {
  const dialog = document.querySelector("dialog.how-figure");
  if (!dialog || !window.htmx) return;
  const body = dialog.querySelector("div");

  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.matches("a.how")) {
      event.preventDefault();
      await window.htmx.ajax("GET", link.href, { target: body, swap: "innerHTML" });
      if (!body.querySelector(".explained")) location.assign(link.href);
      else if (!dialog.open) dialog.showModal();
      dialog.scrollTop = 0;
    } else if (dialog.contains(link) && link.pathname === location.pathname && link.hash) {
      event.preventDefault(); // a row of this page: open what folds it away, then go there
      dialog.close();
      const row = document.getElementById(link.hash.slice(1));
      for (let at = row; at; at = at.parentElement) if (at.matches("details")) at.open = true;
      location.hash = link.hash;
    }
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
})();
