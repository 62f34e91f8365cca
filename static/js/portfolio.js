// A click on a part of a chart opens the same page narrowed to it: the links below the chart, for hand and keyboard
// alike, say where to.
(() => {
  const hrefs = (list) => Object.fromEntries([...list.querySelectorAll("[data-key]")].map((item) => [item.dataset.key, item.querySelector("a").href]));

  for (const list of document.querySelectorAll("[data-drill]")) {
    const plot = list.closest("section").querySelector(`[data-chart="${list.dataset.drill}"] .plot`);
    if (!plot) continue;
    const open = hrefs(list);
    const follow = ({ points, event }) => {
      // all series of a month are under the pointer; the one that was hit is the bar that spans its height
      const y = plot._fullLayout.yaxis.p2d(event.clientY - plot.getBoundingClientRect().top - plot._fullLayout.margin.t);
      const hit = points.find(({ data, pointIndex }) => data.base && data.base[pointIndex] <= y && y <= data.base[pointIndex] + data.y[pointIndex]);
      const href = hit && open[hit.data.meta];
      if (href) window.location.assign(href);
    };
    new MutationObserver((_, observer) => {
      if (!plot.on) return;
      observer.disconnect();
      plot.on("plotly_click", follow);
      plot.classList.add("opens");
    }).observe(plot, { attributes: true, childList: true });
  }
})();
