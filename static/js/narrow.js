// On a phone the list of sections and what is secondary start folded into one line; without JavaScript they start open.
(() => {
  const folded = "details.steps, details.fold";
  const fold = () => {
    if (!matchMedia("(max-width: 760px)").matches) return;
    for (const steps of document.querySelectorAll(folded)) steps.open = false;
  };
  fold();
  matchMedia("(max-width: 760px)").addEventListener("change", (event) => {
    if (event.matches) fold();
    else for (const steps of document.querySelectorAll(folded)) steps.open = true;
  });
})();
