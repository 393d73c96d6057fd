// Draws the charts of a page from the data beside their tables. Without this script the tables stand open instead.
"use strict";

(() => {
  const HEIGHT = 240;
  const schemes = window.matchMedia("(prefers-color-scheme: dark)");
  const color = (element, name) => getComputedStyle(element).getPropertyValue(name).trim();

  /** Give the text of a number as the table has it. */
  const shown = (value) => (value == null ? "" : value.toLocaleString("en"));

  /** Give as many labels as there is room for, the same distance apart. */
  const splits = (count, width) => {
    const step = Math.max(1, Math.ceil(count / Math.max(2, Math.floor(width / 80))));
    return Array.from({ length: Math.ceil(count / step) }, (_, at) => at * step);
  };

  const seriesOf = (figure, line, count) => {
    const stroke = color(figure, `--${line.id}`);
    if (line.drawn === "bars") {
      return { label: line.heading, fill: stroke, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.72, 60], radius: 0.15 }) };
    }
    return { label: line.heading, stroke, width: 2.5, points: { show: count < 40, size: 6, fill: stroke } };
  };

  const draw = (figure, data) => {
    const canvas = figure.querySelector(".canvas");
    const readout = figure.querySelector(".readout");
    const count = data.labels.length;
    const axis = { stroke: color(figure, "--soft"), grid: { stroke: color(figure, "--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const edge = data.lines.some((line) => line.drawn === "bars") ? 0.6 : 0.15;
    canvas.hidden = false;
    const width = () => canvas.clientWidth;
    const options = {
      width: width(),
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
      scales: {
        x: { time: false, range: () => [-edge, count - 1 + edge] },
        y: { range: (_, __, most) => [0, Math.max(4, most * 1.08)] },
      },
      axes: [
        { ...axis, size: 30, grid: { show: false }, splits: () => splits(count, width()), values: (_, places) => places.map((at) => data.labels[at] ?? "") },
        { ...axis, size: 52, values: (_, values) => values.map((value) => (Number.isInteger(value) ? shown(value) : "")) },
      ],
      series: [{}, ...data.lines.map((line) => seriesOf(figure, line, count))],
      hooks: {
        setCursor: [({ cursor: { idx } }) => {
          readout.textContent = idx == null ? "" : `${data.labels[idx]}: ${data.lines.map((line) => `${line.heading} ${shown(line.values[idx])}`).reverse().join(", ")}`;
        }],
      },
    };
    const values = [Array.from({ length: count }, (_, at) => at), ...data.lines.map((line) => line.values)];
    return new uPlot(options, values, canvas);
  };

  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const data = JSON.parse(figure.querySelector("script").textContent);
    // The chart draws its last series on top; the page names the first one first.
    data.lines.reverse();
    let plot = draw(figure, data);
    figure.querySelector("details").open = false;
    new ResizeObserver(([entry]) => plot.setSize({ width: Math.floor(entry.contentRect.width), height: HEIGHT })).observe(figure.querySelector(".canvas"));
    schemes.addEventListener("change", () => {
      plot.destroy();
      plot = draw(figure, data);
    });
  }
})();
