// Replaces the server's SVG by plotly.js: loaded only when a chart comes into view, redrawn when the theme changes.
// If it cannot be loaded, the SVG and the data table stay.
(() => {
  const source = document.currentScript.dataset.plotly;
  let loading;

  const plotly = () => {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.onload = () => resolve(window.Plotly);
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  };

  // "$rag" and "$rag/0.3" become what the CSS variable holds under the present theme.
  const resolver = () => {
    const probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
    const known = new Map();
    const colour = (token) => {
      if (!known.has(token)) {
        probe.style.color = `var(--${token})`;
        known.set(token, getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).join(","));
      }
      return known.get(token);
    };
    const resolve = (value) => {
      if (typeof value === "string") {
        const match = value.match(/^\$([a-z][a-z0-9-]*)(?:\/([\d.]+))?$/);
        return match ? `rgba(${colour(match[1])},${match[2] ?? 1})` : value;
      }
      if (Array.isArray(value)) return value.map(resolve);
      if (value && typeof value === "object") {
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
      }
      return value;
    };
    return { resolve, done: () => probe.remove() };
  };

  const read = (chart) => JSON.parse(chart.querySelector("script[type='application/json']").textContent);

  // Names along the axis of months: as many as fit, evenly spaced.
  const thin = (axis, width) => {
    if (axis.type !== "category") return;
    const names = axis.categoryarray;
    const widest = 7 * Math.max(...names.map((name) => name.length)) + 12;
    const fitting = Math.max(Math.floor(width / widest), 1);
    const every = [1, 2, 3, 4, 6, 12].find((step) => Math.ceil(names.length / step) <= fitting) ?? Math.ceil(names.length / fitting);
    axis.tickmode = "array";
    axis.tickvals = names.filter((_, i) => i % every === 0);
  };

  const drawn = (chart, width) => {
    const figure = read(chart);
    const narrow = width < figure.below;
    const { resolve, done } = resolver();
    const layout = resolve(narrow ? figure.narrow : figure.layout);
    const data = resolve(figure.data);
    done();
    layout.font.family = layout.hoverlabel.font.family = getComputedStyle(document.body).fontFamily;
    thin(layout.xaxis, width - layout.margin.r - 60 - (layout.showlegend ? 150 : 0));
    return { data, layout, narrow };
  };

  const draw = async (chart) => {
    const Plotly = await plotly();
    if (!chart.isConnected) return;
    const area = chart.querySelector(".chart-area");
    const plot = chart.querySelector(".plot");
    if (!area.classList.contains("live")) {
      const shown = [...area.querySelectorAll("svg")].find((svg) => svg.getBoundingClientRect().height > 0);
      if (shown) area.style.setProperty("--drawn", `${Math.round(shown.getBoundingClientRect().height)}px`);
      area.classList.add("live");
    }
    const figure = drawn(chart, area.clientWidth);
    area.classList.toggle("narrow", figure.narrow);
    await Plotly.react(plot, figure.data, figure.layout, { responsive: true, displayModeBar: false });
    chart.dataset.narrow = figure.narrow;
    resized.observe(area);
  };

  const redraw = () => {
    for (const chart of document.querySelectorAll("[data-chart]")) {
      if (!chart.querySelector(".chart-area.live")) continue;
      window.Plotly.Fx.unhover(chart.querySelector(".plot"));
      draw(chart);
    }
  };

  // Names move from beside the marks to above them when the chart becomes narrow.
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const chart = target.closest("[data-chart]");
      const narrow = target.clientWidth > 0 && target.clientWidth < read(chart).below;
      if (target.clientWidth > 0 && String(narrow) !== chart.dataset.narrow) draw(chart);
    }
  });

  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      draw(target).catch(() => {});
    }
  }, { rootMargin: "300px" });

  const find = (within) => {
    for (const chart of within.querySelectorAll("[data-chart]")) seen.observe(chart);
  };

  // Arrow keys walk through the figures, aloud for a screen reader.
  const step = (plot, by) => {
    const traces = plot.data.filter((trace) => trace.hovertext);
    const last = Math.max(...traces.map((trace) => trace.hovertext.length)) - 1;
    const at = Math.min(Math.max(Number(plot.dataset.at ?? (by > 0 ? -1 : last + 1)) + by, 0), last);
    plot.dataset.at = at;
    const across = plot.layout.hovermode === "closest";
    const x = traces[0].x[at];
    if (across) window.Plotly.Fx.hover(plot, [{ curveNumber: plot.data.indexOf(traces.at(-1)), pointNumber: at }]);
    else window.Plotly.Fx.hover(plot, { xval: plot.layout.xaxis.type === "category" ? plot.layout.xaxis.categoryarray.indexOf(x) : x }, "xy");
    const words = traces.map((trace) => trace.hovertext[at]).filter(Boolean).join("; ").replaceAll(/<[^>]+>/g, " ");
    const where = across ? "" : `${x}: `;
    plot.closest(".chart-area").querySelector("[data-chart-says]").textContent = where + words;
  };

  document.addEventListener("keydown", (event) => {
    const plot = event.target.closest?.(".plot");
    if (!plot?.data) return;
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      step(plot, by);
    } else if (event.key === "Escape") {
      window.Plotly.Fx.unhover(plot);
    }
  });

  const save = (name, url) => {
    const link = document.createElement("a");
    link.download = name;
    link.href = url;
    link.click();
  };

  // A cell that begins like a formula would be run by a spreadsheet; a number is written as it is.
  const quoted = (cell) => {
    const raw = cell.dataset.value ?? cell.textContent.trim();
    const safe = cell.dataset.value === undefined && /^[=+\-@\t\r]/.test(raw) ? `'${raw}` : raw;
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };

  const csv = (chart) => {
    const rows = [...chart.querySelectorAll("table tr")].map((row) => [...row.cells].map(quoted).join(","));
    const url = URL.createObjectURL(new Blob(["\ufeff" + rows.join("\r\n") + "\r\n"], { type: "text/csv" }));
    save(`${chart.dataset.chart}.csv`, url);
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };

  const png = async (chart) => {
    const Plotly = await plotly();
    const figure = drawn(chart, 1000);
    const { resolve, done } = resolver();
    const words = chart.querySelector("h2").textContent;
    const layout = {
      ...figure.layout,
      ...resolve({ paper_bgcolor: "$surface", title: { text: words, font: { color: "$ink", size: 16 }, x: 0.02, xanchor: "left" } }),
      margin: { ...figure.layout.margin, l: 16 + figure.layout.margin.l, t: 60, b: 16 },
    };
    done();
    const height = Math.max(chart.querySelector(".plot").clientHeight, 320) + 60;
    const size = { width: 1000, height };
    const drawing = await Plotly.toImage({ data: figure.data, layout }, { format: "svg", ...size });
    save(`${chart.dataset.chart}.png`, await painted(await withFont(drawing), size));
  };

  // A drawing inside an image sees no font of the page, so it carries its own.
  const withFont = async (drawing) => {
    const source = document.querySelector("link[rel='preload'][as='font']");
    if (!source) return drawing;
    const bytes = new Uint8Array(await (await fetch(source.href)).arrayBuffer());
    const font = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    const face = `<style>@font-face{font-family:"Hanken Grotesk";src:url(data:font/woff2;base64,${font})}</style>`;
    const [head, body] = [drawing.slice(0, drawing.indexOf(",") + 1), decodeURIComponent(drawing.slice(drawing.indexOf(",") + 1))];
    return head + encodeURIComponent(body.replace(/(<svg[^>]*>)/, `$1${face}`));
  };

  // Twice the size, for slides. The image is a data: address, as the content security policy allows no blob.
  const painted = async (drawing, { width, height }) => {
    const image = new Image(width, height);
    image.src = drawing;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/png");
  };

  document.addEventListener("click", (event) => {
    const chart = event.target.closest?.("[data-chart]");
    if (!chart) return;
    if (event.target.closest("[data-chart-csv]")) csv(chart);
    if (event.target.closest("[data-chart-png]")) png(chart);
  });
  document.addEventListener("theme:change", redraw);
  document.addEventListener("htmx:load", (event) => find(event.target.parentElement ?? document));
  const start = () => requestAnimationFrame(() => setTimeout(() => find(document)));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
