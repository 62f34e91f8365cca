// Saves each answer as it is given, says whether it is saved, and keeps and repeats what could not be sent.
// Without this script the page's Save button does the same for the whole section.
(() => {
  const DELAY = 1200; // ms after the last keystroke
  const RETRIES = [2, 4, 8, 15, 30]; // s
  const questions = document.getElementById("questions");
  if (!questions) return;

  const cards = () => questions.querySelectorAll("[data-answer]");
  const cardOf = (node) => node.closest && node.closest("[data-answer]");
  const stateOf = (card) => document.getElementById(`state-${card.dataset.answer}`);
  const waiting = new Map(); // card id → timer of the next save
  const failures = new Map(); // card id → how often in a row
  const sent = new Map(); // card id → what was last sent: leaving a field says "change" of what is saved already

  // ---- what is entered, kept in this browser until the server has it
  const draftKey = (card) => `draft:${questions.dataset.person}:${card.getAttribute("hx-post")}`;
  const fieldsOf = (card) => [...card.querySelectorAll("input[form=answers], select, textarea")].filter((f) => f.type !== "hidden");
  const entered = (card) => fieldsOf(card).map((f) => (f.type === "radio" || f.type === "checkbox" ? f.checked : f.value));
  const revisionOf = (card) => stateOf(card)?.querySelector('input[name^="was:"]')?.value ?? "";
  const keep = (card) => {
    const draft = { was: revisionOf(card), fields: entered(card) };
    try { localStorage.setItem(draftKey(card), JSON.stringify(draft)); } catch { /* no storage: the page still holds it */ }
  };
  const forget = (card) => {
    try { localStorage.removeItem(draftKey(card)); } catch { /* nothing kept */ }
  };
  const restore = (card) => {
    let draft = null;
    try { draft = JSON.parse(localStorage.getItem(draftKey(card))); } catch { return false; }
    if (!draft) return false;
    const fields = fieldsOf(card);
    // Saved meanwhile, here or elsewhere, or another questionnaire: the draft is out of date.
    const stale = draft.was !== revisionOf(card) || draft.fields?.length !== fields.length;
    if (stale || JSON.stringify(draft.fields) === JSON.stringify(entered(card))) { forget(card); return false; }
    fields.forEach((field, n) => {
      if (typeof draft.fields[n] === "boolean") field.checked = draft.fields[n]; else field.value = draft.fields[n];
    });
    return true;
  };

  // ---- saying so
  const say = (card, text, failed) => {
    const place = stateOf(card)?.querySelector(".foot > span");
    if (!place) return;
    const word = document.createElement("span");
    word.className = failed ? "saved failed" : "muted";
    word.textContent = text;
    place.replaceChildren(word);
  };

  const save = (card, after = 0) => {
    clearTimeout(waiting.get(card.dataset.answer));
    waiting.set(card.dataset.answer, setTimeout(() => {
      waiting.delete(card.dataset.answer);
      if (card.isConnected) htmx.trigger(card, "autosave");
    }, after));
  };

  const failed = (card, why) => {
    const id = card.dataset.answer;
    const times = failures.get(id) || 0;
    const pause = RETRIES[Math.min(times, RETRIES.length - 1)];
    failures.set(id, times + 1);
    keep(card);
    say(card, `Not saved: ${why} Your answer is kept here; trying again in ${pause} s.`, true);
    save(card, pause * 1000);
  };

  const refused = (card, text) => {
    keep(card);
    say(card, text, true);
  };

  // ---- exclusive boxes: "none of these" and "don't know yet" stand alone
  const settleExclusives = (card, field) => {
    if (field.form?.id !== "answers" || /^(comment|evidence):/.test(field.name)) return;
    const values = fieldsOf(card).filter((f) => !/^(comment|evidence|higher):/.test(f.name) && f !== field);
    if (field.dataset.alone !== undefined && field.checked) {
      values.forEach((f) => { if (f.type === "checkbox") f.checked = false; else if (f.type !== "radio") f.value = ""; });
    } else if (field.dataset.alone === undefined && (field.type === "checkbox" ? field.checked : field.value)) {
      values.forEach((f) => { if (f.dataset.alone !== undefined) f.checked = false; });
    }
  };

  questions.addEventListener("change", (event) => {
    const card = cardOf(event.target);
    if (!card || event.target.form?.id !== "answers") return;
    settleExclusives(card, event.target);
    const id = card.dataset.answer;
    const known = sent.get(id) === JSON.stringify(entered(card));
    if (!known || failures.has(id)) save(card);
  });
  questions.addEventListener("input", (event) => {
    const card = cardOf(event.target);
    if (!card || event.target.form?.id !== "answers" || !/^(text|url|textarea)$/.test(event.target.type)) return;
    settleExclusives(card, event.target);
    say(card, "Writing …");
    save(card, DELAY);
  });

  // ---- the requests
  document.addEventListener("htmx:beforeRequest", (event) => {
    const card = event.target;
    if (!card.matches?.("[data-answer]")) return;
    sent.set(card.dataset.answer, JSON.stringify(entered(card)));
    say(card, "Saving …");
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const card = event.detail.requestConfig?.elt;
    if (!card?.matches?.("[data-answer]")) return;
    const sentTo = new URL(card.getAttribute("hx-post"), location.href).pathname;
    const answeredBy = new URL(event.detail.xhr.responseURL || location.href, location.href).pathname;
    if (sentTo !== answeredBy) {
      event.detail.shouldSwap = false;
      refused(card, "Not saved: you are signed out. Sign in again in another tab, then change the answer or press Save; it is kept here.");
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const card = event.detail.requestConfig?.elt;
    if (!card?.matches?.("[data-answer]")) return;
    const status = event.detail.xhr?.status || 0;
    if (status >= 200 && status < 300) failures.delete(card.dataset.answer);
  });
  // What is swapped may hold the focus (a button that has done its work): it goes to the card then, not to the page's top.
  let focused = null;
  document.addEventListener("htmx:beforeSwap", () => { focused = document.activeElement?.closest?.(".qcard")?.id ?? null; });
  document.addEventListener("htmx:afterSettle", () => {
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
    focused = null;
  });
  const stillTyping = (card) => waiting.has(card.dataset.answer);
  document.addEventListener("htmx:afterSwap", (event) => {
    const card = event.detail.requestConfig?.elt;
    if (!card?.matches?.("[data-answer]")) return;
    const state = stateOf(card);
    const wrong = new Set([...(state?.querySelectorAll("[data-field]") || [])].map((e) => e.dataset.field));
    fieldsOf(card).forEach((field) => {
      const name = field.name.split(":")[0];
      if (wrong.has(name)) field.setAttribute("aria-invalid", "true"); else field.removeAttribute("aria-invalid");
    });
    if (wrong.size) keep(card);
    else if (stillTyping(card)) say(card, "Writing …");
    else forget(card);
  });
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:sendAbort"]) {
    document.addEventListener(name, (event) => {
      const card = event.detail.requestConfig?.elt || event.target;
      if (card?.matches?.("[data-answer]")) failed(card, navigator.onLine ? "the server cannot be reached." : "you are offline.");
    });
  }
  document.addEventListener("htmx:responseError", (event) => {
    const card = event.detail.requestConfig?.elt;
    if (!card?.matches?.("[data-answer]")) return;
    const status = event.detail.xhr.status;
    if (status >= 500 || status === 429) failed(card, status === 429 ? "too much at once." : "the server failed.");
    else if (status === 403) refused(card, "Not saved: you may not answer this (any more). Reload the page to see what you may do.");
    else refused(card, "Not saved: this question is gone. Copy your answer and reload the page.");
  });
  window.addEventListener("online", () => failures.forEach((_, id) => {
    const card = questions.querySelector(`[data-answer="${CSS.escape(id)}"]`);
    if (card) save(card);
  }));

  // ---- leaving and coming back
  window.addEventListener("beforeunload", (event) => {
    unsaved().forEach(keep);
    if (failures.size) event.preventDefault();
  });
  const unsaved = () => [...cards()].filter((card) => waiting.has(card.dataset.answer) || failures.has(card.dataset.answer));
  document.getElementById("answers")?.addEventListener("submit", () => {
    unsaved().forEach(keep); // in case the whole section cannot be sent either
    waiting.forEach((timer) => clearTimeout(timer));
    waiting.clear();
    failures.clear();
  });
  // Chrome restores form fields itself; wait for that, then lay unsent answers over it.
  window.addEventListener("load", () => cards().forEach((card) => {
    if (restore(card)) { say(card, "Not saved yet: restored from this browser. Saving …", true); save(card, 300); }
    else if (enteredEarly(card)) { say(card, "Writing …"); save(card, DELAY); }
  }));
  // Entered before this script ran: on a slow line the fields are there first. A page that was reloaded or gone
  // back to is left out: there the browser itself fills fields with what stood in them before.
  const freshlyOpened = performance.getEntriesByType("navigation")[0]?.type === "navigate";
  const changed = (field) => {
    if (field.type === "radio" || field.type === "checkbox") return field.checked !== field.defaultChecked;
    if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
    const given = [...field.options].find((choice) => choice.defaultSelected) ?? field.options[0];
    return field.value !== given?.value;
  };
  const enteredEarly = (card) => freshlyOpened && !sent.has(card.dataset.answer) && fieldsOf(card).some(changed);

  // ---- taking over what the costs assume: it is written into the field, as if typed
  questions.addEventListener("click", (event) => {
    const take = event.target.closest("[data-take]");
    const field = take && cardOf(take)?.querySelector(`[name="${CSS.escape(take.name)}"]:not(button)`);
    if (!field) return;
    event.preventDefault();
    field.value = take.value;
    field.focus();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // ---- on a phone the list of sections is one line until it is opened
  const steps = document.getElementById("steps");
  if (steps) {
    const narrow = matchMedia("(max-width: 760px)");
    const fold = () => { steps.open = !narrow.matches; };
    fold();
    narrow.addEventListener("change", fold);
    steps.addEventListener("click", (event) => { if (narrow.matches && event.target.closest("a")) steps.open = false; });
  }
})();
