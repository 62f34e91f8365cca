// On a phone the list of sections starts folded into one line; without JavaScript it starts open.
(() => {
  const fold = () => {
    if (!matchMedia("(max-width: 760px)").matches) return;
    for (const steps of document.querySelectorAll("details.steps[open]")) steps.open = false;
  };
  fold();
  matchMedia("(max-width: 760px)").addEventListener("change", (event) => {
    if (event.matches) fold();
    else for (const steps of document.querySelectorAll("details.steps")) steps.open = true;
  });
})();
