// Answering without a mouse: j and k go from question to question, digits choose, ? lists the keys.
// Single keys work only while the focus is inside the page's content and nothing is being written, and can be switched
// off for good (WCAG 2.1.4). Nothing of the browser's own keys is taken away: no modifiers, no arrows, no Tab.
(() => {
  const main = document.getElementById("main");
  const questions = document.getElementById("questions");
  const dialog = document.getElementById("keys");
  if (!main || !questions || !dialog) return;

  const OFF = "keys-off";
  const stored = () => { try { return localStorage.getItem(OFF); } catch { return null; } };
  let on = stored() !== "1";
  const box = dialog.querySelector("[data-keys-on]");
  box.checked = on;
  box.addEventListener("change", () => {
    on = box.checked;
    try { if (on) localStorage.removeItem(OFF); else localStorage.setItem(OFF, "1"); } catch { /* for this page only */ }
    if (!on) delete document.documentElement.dataset.keys;
  });
  document.querySelector("[data-keys-open]")?.addEventListener("click", () => dialog.showModal());

  const cards = () => [...questions.querySelectorAll(".qcard")];
  const fields = (card) => [...card.querySelectorAll("input[form=answers]:not([type=hidden]), select[form=answers], textarea[form=answers]")];
  const current = () => document.activeElement?.closest(".qcard") ?? null;
  // The question that lies at the top of the window: from there on where no question has the focus.
  const nearest = () => cards().find((card) => card.getBoundingClientRect().bottom > 120) ?? null;

  const goTo = (card) => {
    if (!card) return;
    document.documentElement.dataset.keys = ""; // from now on options show their digits
    card.focus({ preventScroll: true });
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    card.scrollIntoView({ block: card.offsetHeight > innerHeight * 0.7 ? "start" : "center", behavior: calm ? "auto" : "smooth" });
  };
  const move = (step) => {
    const all = cards(), here = current();
    goTo(here ? all[all.indexOf(here) + step] : nearest());
  };
  const isOpen = (card) => !card.querySelector(".saved, [id^='derived-'] > p");
  const nextOpen = () => {
    const all = cards(), from = all.indexOf(current()) + 1;
    goTo([...all.slice(from), ...all.slice(0, from)].find(isOpen));
  };

  const choose = (digit) => {
    const card = current();
    if (!card) return false;
    const options = fields(card).filter((f) => f.type === "radio" || f.type === "checkbox");
    const inCards = options.filter((f) => f.closest(".opts"));
    const unsure = options.find((f) => f.value === "?" || f.name.startsWith("dont_know:"));
    const option = digit === 0 ? unsure : inCards.filter((f) => f !== unsure)[digit - 1];
    if (!option) return false;
    document.documentElement.dataset.keys = "";
    option.focus({ preventScroll: true });
    if (!(option.type === "radio" && option.checked)) option.click();
    return true;
  };

  const comment = () => {
    const field = current()?.querySelector("textarea[name^='comment:']");
    if (!field) return false;
    field.closest("details").open = true;
    field.focus();
    return true;
  };

  const writes = (node) => node.isContentEditable || node.matches("textarea, select") || (node.matches("input") && !/^(radio|checkbox|button|submit)$/.test(node.type));
  const search = () => {
    const field = document.getElementById("find");
    field?.focus();
    field?.select();
    return Boolean(field);
  };
  const ACTS = {
    j: () => (move(1), true),
    k: () => (move(-1), true),
    n: () => (nextOpen(), true),
    c: comment,
    "/": search,
    "?": () => (dialog.showModal(), true),
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const at = document.activeElement;
    if (!on || dialog.open || !main.contains(at)) return;
    if (event.key === "Escape" && questions.contains(at) && !at.matches(".qcard")) { current()?.focus({ preventScroll: true }); return; }
    if (writes(at)) return;
    if (event.key === "Enter" && at.matches(".qcard")) {
      const first = fields(at).find((f) => f.type !== "radio" || f.checked) ?? fields(at)[0];
      first?.focus();
      event.preventDefault();
      return;
    }
    const done = /^[0-9]$/.test(event.key) ? choose(Number(event.key)) : ACTS[event.key]?.();
    if (done) event.preventDefault();
  });

  // A filled-in answer is overruled by choosing another: the link leads to the first option, with its digits shown.
  questions.addEventListener("click", (event) => {
    const link = event.target.closest("[data-overrule]");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    document.documentElement.dataset.keys = "";
    field.focus();
  });
})();
