// Draws the charts of a page with ECharts, in the colours of the theme. Where anything fails, the
// static form stays.
(() => {
  "use strict";
  const drawn = new Map();

  const units = {
    count: (value) => Number(value).toLocaleString("en-GB"),
    percent: (value) => `${Number(value).toFixed(1)} %`,
    mib: (value) => {
      const names = ["MiB", "GiB", "TiB", "PiB"];
      let size = Number(value);
      let at = 0;
      while (size >= 1024 && at < names.length - 1) { size /= 1024; at += 1; }
      return at === 0 ? `${size} MiB` : `${size.toFixed(1)} ${names[at]}`;
    },
  };

  /** Replaces `var(--name)` by the theme's value, everywhere in an option. */
  function themed(value, style) {
    if (typeof value === "string") {
      return value.startsWith("var(") ? style.getPropertyValue(value.slice(4, -1)).trim() : value;
    }
    if (Array.isArray(value)) return value.map((item) => themed(item, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, themed(item, style)]));
    }
    return value;
  }

  /** What all charts have in common, under what this one says itself. */
  function dress(option, figure, width) {
    const format = units[figure.dataset.unit] ?? units.count;
    const text = "var(--text)";
    const muted = "var(--muted)";
    const axis = (own) => ({
      ...own,
      nameTextStyle: { color: muted },
      axisLine: { lineStyle: { color: "var(--line)" } },
      axisTick: { show: false },
      splitLine: own.type === "value" ? { lineStyle: { color: "var(--line)" } } : { show: false },
      axisLabel: {
        color: muted,
        hideOverlap: true,
        ...(own.type === "category" ? { width: Math.min(230, width * 0.4), overflow: "truncate" } : { formatter: format }),
        ...own.axisLabel,
      },
    });
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: text },
      ...option,
      xAxis: axis(option.xAxis),
      yAxis: axis(option.yAxis),
      legend: option.legend && { ...option.legend, textStyle: { color: text }, itemWidth: 18 },
      tooltip: {
        confine: true,
        // Plain text: names are never read as markup.
        renderMode: "richText",
        backgroundColor: "var(--surface)",
        borderColor: "var(--line)",
        textStyle: { color: text, fontSize: 12 },
        valueFormatter: format,
        ...option.tooltip,
      },
      series: option.series.map((series) => ({
        ...series,
        label: series.label && { color: text, ...series.label },
      })),
    };
  }

  function draw(figure) {
    const live = figure.querySelector(".chart-live");
    const option = JSON.parse(figure.querySelector(".chart-option").textContent);
    live.hidden = false;
    try {
      const chart = drawn.get(figure) ?? echarts.init(live, null, { renderer: "svg" });
      const style = getComputedStyle(document.documentElement);
      chart.setOption(themed(dress(option, figure, live.clientWidth), style), true);
      drawn.set(figure, chart);
      figure.classList.add("drawn");
    } catch (error) {
      live.hidden = true;
      figure.classList.remove("drawn");
      console.error(`chart ${figure.id}: ${error.message}`);
    }
  }

  const figures = [...document.querySelectorAll("figure.chart")];
  figures.forEach(draw);
  document.addEventListener("themechange", () => figures.forEach(draw));

  let waiting = 0;
  const resized = new ResizeObserver(() => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => drawn.forEach((chart, figure) => {
      if (chart.getDom().clientWidth !== chart.getWidth()) { chart.resize(); draw(figure); }
    }));
  });
  figures.forEach((figure) => resized.observe(figure));
})();
