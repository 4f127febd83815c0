// Durations of requests by the time they began. A point opens its trace; the table below has the same numbers.
import {colour, onThemeChange} from "./chart_theme.js";
import {durationText} from "./durations.js";

const OUTCOMES = [
  {outcome: "ok", label: "ok", shape: "circle", variable: "--desk-ok", radius: 3},
  {outcome: "refused", label: "failed by the client (4xx)", shape: "triangle", variable: "--desk-warn", radius: 5},
  {outcome: "error", label: "failed by our fault (5xx)", shape: "rectRot", variable: "--desk-bad", radius: 6},
];
const SHORTEST_MS = 0.01;
const ROOM = 1.5; // so that no point is cut by the edge
const DAY_MS = 86_400_000;
const SHORTEST_AXIS_MS = 60_000; // a single request has a time, too

const canvas = document.getElementById("trace-plot");
if (canvas) draw(canvas, document.getElementById("trace-plot-note"));

async function draw(canvas, note) {
  const answer = await fetch(canvas.dataset.points, {headers: {Accept: "application/json"}});
  if (!answer.ok) {
    note.textContent = `The plot has no data: the API answered ${answer.status}.`;
    return;
  }
  const {points, is_complete: isComplete} = await answer.json();
  const told = summary(points, isComplete);
  canvas.setAttribute("aria-label", told);
  note.textContent = `${told} A point opens its trace.`;
  const chart = new window.Chart(canvas, {type: "scatter", data: {datasets: datasets(points)}, options: options(canvas, points)});
  paint(chart);
  onThemeChange(() => paint(chart));
}

function datasets(points) {
  return OUTCOMES.map(({outcome, label, shape, radius}) => ({
    label,
    pointStyle: shape,
    pointRadius: radius,
    pointHoverRadius: radius + 3,
    data: points
      .filter((point) => point.outcome === outcome)
      .map((point) => ({x: Date.parse(point.started_at), y: Math.max(point.duration_ms, SHORTEST_MS), point})),
  }));
}

function options(canvas, points) {
  const durations = points.map((point) => Math.max(point.duration_ms, SHORTEST_MS));
  const labelled = steps(durations);
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: {mode: "nearest", intersect: true},
    onHover: (event, found) => { canvas.style.cursor = found.length ? "pointer" : ""; },
    onClick: (event, found, chart) => {
      if (!found.length) return;
      const {point} = chart.data.datasets[found[0].datasetIndex].data[found[0].index];
      location.assign(canvas.dataset.trace.replace(/0{32}/, point.trace_id));
    },
    plugins: {
      legend: {labels: {usePointStyle: true, boxWidth: 7, boxHeight: 7}},
      tooltip: {callbacks: {label: ({raw}) => label(raw.point)}},
    },
    scales: {
      x: {
        type: "linear",
        ...aroundMiddle(points.map((point) => Date.parse(point.started_at))),
        ticks: {maxRotation: 0, autoSkipPadding: 16, callback(value) { return clock(value, this.max - this.min); }},
      },
      y: {
        type: "logarithmic",
        min: Math.min(...durations) / ROOM,
        max: Math.max(...durations) * ROOM,
        ticks: {callback: (value) => (labelled.includes(leading(value)) ? durationText(value) : null)},
      },
    },
  };
}

function paint(chart) {
  const text = colour("--body-quiet-color");
  const line = colour("--hairline-color");
  OUTCOMES.forEach(({variable}, index) => {
    Object.assign(chart.data.datasets[index], {backgroundColor: `${colour(variable)}99`, borderColor: colour(variable)});
  });
  chart.options.color = text;
  for (const scale of Object.values(chart.options.scales)) {
    scale.ticks.color = text;
    scale.grid = {color: line};
  }
  chart.update();
}

function summary(points, isComplete) {
  if (!points.length) return "No requests.";
  const sorted = points.map((point) => point.duration_ms).sort((a, b) => a - b);
  const failed = points.filter((point) => point.outcome !== "ok").length;
  const median = durationText(sorted[Math.floor(sorted.length / 2)]);
  const count = isComplete ? points.length : `The newest ${points.length}`;
  const requests = points.length === 1 ? "request" : "requests";
  return `${count} ${requests}: median ${median}, slowest ${durationText(sorted.at(-1))}, ${failed} failed.`;
}

function label(point) {
  const where = point.bucket ? ` in ${point.bucket}` : "";
  const why = point.error || (point.status ?? "");
  return `${point.operation || point.name}${where}: ${durationText(point.duration_ms)}${why ? `, ${why}` : ""}`;
}

function clock(value, range) {
  const text = new Date(value).toISOString();
  if (range > 2 * DAY_MS) return text.slice(5, 10);
  return range > 600_000 ? text.slice(11, 16) : text.slice(11, 19);
}

/** What an axis of time shows at least. */
function aroundMiddle(moments) {
  const middle = (Math.min(...moments) + Math.max(...moments)) / 2;
  return {suggestedMin: middle - SHORTEST_AXIS_MS / 2, suggestedMax: middle + SHORTEST_AXIS_MS / 2};
}

/** Which digits of a logarithmic axis are labelled: more of them where it has only few powers of ten. */
function steps(durations) {
  return Math.max(...durations) / Math.min(...durations) > 100 ? [1] : [1, 2, 5];
}

function leading(value) {
  return Number((value / 10 ** Math.floor(Math.log10(value) + 1e-9)).toFixed(6));
}
