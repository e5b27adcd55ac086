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

  const ruler = document.createElement("canvas").getContext("2d");

  /** Room to the right of bars for their values. */
  function valueRoom(option) {
    ruler.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const texts = option.series.flatMap((series) => series.data).map((bar) => bar?.label?.formatter);
    const widths = texts.filter(Boolean).map((text) => ruler.measureText(text).width);
    return widths.length === 0 ? option.grid.right : Math.ceil(Math.max(...widths)) + 12;
  }

  /** An axis of sizes: its steps are powers of two, or its labels would be odd fractions. */
  function binaryScale(option) {
    const most = Math.max(1, ...option.series.flatMap((series) => series.data));
    const interval = 2 ** Math.ceil(Math.log2(most / 5));
    return { interval, max: Math.ceil(most / interval) * interval };
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
        ...(own.type === "category" ? { width: Math.min(320, width * (width < 500 ? 0.36 : 0.45)), overflow: "truncate" } : { formatter: format }),
        ...own.axisLabel,
      },
    });
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: text },
      ...option,
      grid: { ...option.grid, right: valueRoom(option) },
      xAxis: axis({ ...option.xAxis, ...(figure.dataset.unit === "mib" ? binaryScale(option) : {}) }),
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
