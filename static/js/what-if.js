// Sliders of the what-if page. The number field is what is sent; the slider moves it and follows it.
(() => {
  const form = document.getElementById("what-if");
  if (!form) return;
  const figures = document.getElementById("figures");
  const says = document.getElementById("what-if-says");
  const STEPS = 1000;

  const ends = (range) => [Number(range.dataset.low), Number(range.dataset.high), range.dataset.scale === "log"];

  // Position 0 … 1,000 → a figure with three digits, which is finer than a thumb can place it.
  const valueAt = (range) => {
    const [low, high, log] = ends(range);
    const share = Number(range.value) / STEPS;
    const value = log ? low * (high / low) ** share : low + (high - low) * share;
    const digits = log ? 3 : Math.max(1, Math.ceil(Math.log10(Math.max(Math.abs(value), 1e-9) / ((high - low) / 200))));
    return Number(value.toPrecision(Math.min(Math.max(digits, 1), 6)));
  };

  const positionOf = (range, value) => {
    const [low, high, log] = ends(range);
    const share = log ? Math.log(Math.max(value, low) / low) / Math.log(high / low) : (value - low) / (high - low);
    return Math.round(STEPS * Math.min(Math.max(share, 0), 1));
  };

  // Plain digits: three decimals alone would be read as thousands, so a zero keeps them decimals.
  const written = (value) => {
    const text = value.toLocaleString("en", { useGrouping: false, maximumFractionDigits: 12 });
    return /^-?\d{1,3}\.\d{3}$/.test(text) ? `${text}0` : text;
  };

  // 12k, 1.5M, 30 %: enough to place the thumb; what a figure means is decided by the server.
  const guessed = (text) => {
    const match = text.trim().replaceAll(/[,\s](?=\d{3}\b)/g, "").match(/^([+-]?[\d.]+)\s*(k|m|mio|bn?)?/i);
    if (!match) return NaN;
    const times = { k: 1e3, m: 1e6, mio: 1e6, b: 1e9, bn: 1e9 }[(match[2] ?? "").toLowerCase()] ?? 1;
    return Number(match[1]) * times;
  };

  const show = (knob) => {
    const field = knob.querySelector("input[type='text']");
    const range = knob.querySelector("input[type='range']");
    const moved = field.value.trim() !== field.dataset.base;
    knob.classList.toggle("moved", moved);
    const reset = knob.querySelector("[data-reset]");
    if (reset) reset.hidden = !moved;
    range?.setAttribute("aria-valuetext", `${field.value} ${range.dataset.unit}`);
  };

  form.addEventListener("input", ({ target }) => {
    const knob = target.closest("[data-knob]");
    if (!knob || target.type !== "range") return;
    const field = knob.querySelector("input[type='text']");
    const mark = positionOf(target, guessed(field.dataset.base));
    const home = Math.abs(Number(target.value) - mark) <= 4; // today's value is easy to find again
    field.value = home ? field.dataset.base : written(valueAt(target));
    field.removeAttribute("aria-invalid");
    show(knob);
    form.dispatchEvent(new CustomEvent("moved"));
  });

  // A slider's own "change" says nothing new; a field's moves its slider.
  form.addEventListener("change", (event) => {
    if (event.target.type === "range") return event.stopPropagation();
    const knob = event.target.closest("[data-knob]");
    if (!knob) return;
    const range = knob.querySelector("input[type='range']");
    const value = guessed(event.target.value);
    if (range && Number.isFinite(value)) range.value = positionOf(range, value);
    if (!event.target.value.trim()) event.target.value = event.target.dataset.base;
    show(knob);
  }, true);

  form.addEventListener("click", ({ target }) => {
    const knob = target.closest("[data-reset]")?.closest("[data-knob]");
    if (!knob) return;
    const field = knob.querySelector("input[type='text']");
    field.value = field.dataset.base;
    field.removeAttribute("aria-invalid");
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.focus();
  });

  // The address names only what differs.
  form.addEventListener("htmx:configRequest", (event) => {
    const parameters = event.detail.parameters;
    for (const control of form.querySelectorAll("[data-base]")) {
      if (control.name && control.value.trim() === control.dataset.base) parameters.delete ? parameters.delete(control.name) : delete parameters[control.name];
    }
  });

  // Aloud once the figures have come to rest; what could not be read is marked at its field.
  let quiet;
  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (target !== figures) return;
    const wrong = new Set([...figures.querySelectorAll("[data-wrong]")].map((link) => link.dataset.wrong));
    for (const knob of form.querySelectorAll("[data-knob]")) {
      const field = knob.querySelector("input[type='text']");
      if (wrong.has(knob.dataset.knob)) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
      knob.querySelector(".field-error")?.remove();
    }
    clearTimeout(quiet);
    quiet = setTimeout(() => { says.textContent = figures.querySelector("[data-says]")?.textContent ?? ""; }, 600);
  });

  for (const knob of form.querySelectorAll("[data-knob]")) show(knob);
})();
