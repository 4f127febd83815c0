// The charts of the status page.
import {colour, onThemeChange} from "./chart_theme.js";
import {durationText} from "./durations.js";
import {bytesText, rateText} from "./numbers.js";

const MAX_TICKS = 5;
const BYTE_STEPS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

const CHARTS = {
  requests: {
    type: "bar",
    stacked: true,
    text: rateText,
    told: "Requests a minute",
    series: [
      {label: "succeeded", variable: "--desk-ok", value: ({figures}, perMinute) => succeeded(figures) * perMinute},
      {label: "client errors", variable: "--desk-warn", value: ({figures}, perMinute) => figures.client_errors * perMinute},
      {label: "server errors", variable: "--desk-bad", value: ({figures}, perMinute) => figures.server_errors * perMinute},
    ],
  },
  latency: {
    type: "line",
    text: durationText,
    told: "Latency",
    series: [
      {label: "p50", variable: "--desk-us", value: ({figures}) => figures.p50_ms},
      {label: "p95", variable: "--desk-backend", dash: [6, 3], value: ({figures}) => figures.p95_ms},
      {label: "p99", variable: "--desk-policy", dash: [2, 2], value: ({figures}) => figures.p99_ms},
    ],
  },
  bytes: {
    type: "line",
    fill: true,
    text: (bytes) => `${bytesText(bytes)}/s`,
    step: byteStep,
    told: "Bytes received a second",
    series: [{label: "received", variable: "--desk-backend", value: ({figures}) => figures.bytes_per_second}],
  },
  waits: {
    type: "bar",
    stacked: true,
    text: durationText,
    told: "Mean time of a transfer",
    series: [
      {label: "client", variable: "--desk-client", value: ({figures}) => figures.receive_wait_ms},
      {label: "storage", variable: "--desk-backend", value: ({figures}) => figures.backend_wait_ms},
      {label: "gateway", variable: "--desk-us", value: ({figures}) => figures.gateway_ms},
    ],
  },
};

/** Makes the charts within root. @returns a function that shows a status in them. */
export function charts(root) {
  const made = [...root.querySelectorAll("[data-chart]")].map((canvas) => new StatusChart(canvas));
  onThemeChange(() => made.forEach((chart) => chart.paint()));
  return (status) => made.forEach((chart) => chart.show(status));
}

class StatusChart {
  constructor(canvas) {
    this.canvas = canvas;
    this.kind = CHARTS[canvas.dataset.chart];
    const datasets = this.kind.series.map((series) => dataset(series, this.kind));
    const made = {type: this.kind.type, data: {labels: [], datasets}, options: options(this.kind)};
    this.chart = new window.Chart(canvas, made);
    this.paint();
  }

  show(status) {
    const perMinute = 60 / status.step_seconds;
    this.chart.data.labels = status.steps.map((step) => clock(step.began_at, status.step_seconds));
    this.kind.series.forEach(({value}, index) => {
      this.chart.data.datasets[index].data = status.steps.map((step) => value(step, perMinute));
    });
    if (this.kind.step) this.chart.options.scales.y.ticks.stepSize = this.kind.step(this.highest());
    this.chart.update("none");
    this.canvas.setAttribute("aria-label", this.summary());
  }

  paint() {
    const text = colour("--body-quiet-color");
    this.kind.series.forEach((series, index) => {
      Object.assign(this.chart.data.datasets[index], colours(series, this.kind));
    });
    this.chart.options.color = text;
    for (const scale of Object.values(this.chart.options.scales)) scale.ticks.color = text;
    this.chart.options.scales.y.grid.color = colour("--hairline-color");
    this.chart.update(); // not "none", which leaves bars in their old colours
  }

  highest() {
    return Math.max(0, ...this.chart.data.datasets.flatMap(({data}) => data));
  }

  /** For who cannot see the canvas: the newest and the highest of each series. */
  summary() {
    const told = this.chart.data.datasets.map(({label, data}) => {
      const known = data.filter((value) => value !== null);
      if (!known.length) return `${label} none`;
      return `${label} ${this.kind.text(known.at(-1))} last, ${this.kind.text(Math.max(...known))} at most`;
    });
    return `${this.kind.told}: ${told.join("; ")}.`;
  }
}

function succeeded(figures) {
  return figures.requests - figures.client_errors - figures.server_errors;
}

function dataset({label, dash, variable}, kind) {
  const line = {borderWidth: 2, pointRadius: radius, pointHitRadius: 8, pointHoverRadius: 4, spanGaps: false, tension: 0};
  const bar = {borderWidth: 0, barPercentage: 1, categoryPercentage: 0.9};
  const shape = kind.type === "line" ? line : bar;
  return {label, data: [], fill: Boolean(kind.fill), borderDash: dash, ...shape, ...colours({variable}, kind)};
}

/** Of a point that no line leads to. */
function radius({dataset, dataIndex}) {
  const isAlone = [-1, 1].every((offset) => (dataset.data[dataIndex + offset] ?? null) === null);
  return isAlone ? 2.5 : 0;
}

function colours({variable}, kind) {
  const shade = colour(variable);
  return {borderColor: shade, backgroundColor: kind.fill ? `${shade}33` : shade};
}

/** A round number of bytes, so that few ticks reach the highest. */
function byteStep(highest) {
  const least = Math.max(highest, 1) / MAX_TICKS;
  const unit = 1024 ** Math.max(Math.floor(Math.log(least) / Math.log(1024)), 0);
  return unit * (BYTE_STEPS.find((step) => step * unit >= least) ?? 1024);
}

function options(kind) {
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: {mode: "index", intersect: false},
    plugins: {
      colors: {enabled: false},
      legend: {display: kind.series.length > 1, align: "start", labels: {boxWidth: 20, boxHeight: 8, usePointStyle: kind.type === "line", pointStyle: "line"}},
      tooltip: {callbacks: {label: ({dataset, raw}) => (raw === null ? null : `${dataset.label}: ${kind.text(raw)}`)}},
    },
    scales: {
      x: {stacked: kind.stacked, grid: {display: false}, ticks: {maxRotation: 0, autoSkipPadding: 24}},
      y: {stacked: kind.stacked, beginAtZero: true, grid: {}, ticks: {maxTicksLimit: MAX_TICKS + 1, callback: (value) => kind.text(value).replace(".0 ", " ")}},
    },
  };
}

function clock(time, stepSeconds) {
  return time.slice(11, stepSeconds < 60 ? 19 : 16);
}
