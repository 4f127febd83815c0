// Traces kept by what decides, now and as edited; the numbers are those of the table below.
import {colour, onThemeChange} from "./chart_theme.js";

const SETS = [
  {label: "now", from: "now", variable: "--desk-backend"},
  {label: "as edited", from: "edited", variable: "--desk-client"},
];
const ROW_PIXELS = 44;

const canvas = document.getElementById("kept-chart");
if (canvas) draw(canvas, [...document.getElementById(canvas.dataset.table).tBodies[0].rows]);

function draw(canvas, rows) {
  canvas.parentElement.style.height = `${80 + ROW_PIXELS * rows.length}px`;
  const chart = new window.Chart(canvas, {
    type: "bar",
    data: {
      labels: rows.map((row) => row.cells[0].textContent),
      datasets: SETS.map(({label, from, variable}) => ({
        label,
        data: rows.map((row) => Number(row.dataset[from])),
        backgroundColor: colour(variable),
        maxBarThickness: 14,
      })),
    },
    options: {
      animation: false,
      indexAxis: "y",
      maintainAspectRatio: false,
      plugins: {legend: {labels: {usePointStyle: true}}},
      scales: {x: {beginAtZero: true, title: {display: true, text: "traces kept (estimated)"}}, y: {}},
    },
  });
  paint(chart);
  onThemeChange(() => paint(chart));
}

function paint(chart) {
  const text = colour("--body-quiet-color");
  SETS.forEach(({variable}, index) => Object.assign(chart.data.datasets[index], {backgroundColor: colour(variable)}));
  chart.options.color = text;
  for (const scale of Object.values(chart.options.scales)) {
    scale.ticks = {color: text};
    scale.grid = {color: colour("--hairline-color")};
    if (scale.title) scale.title.color = text;
  }
  chart.update();
}
