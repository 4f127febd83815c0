// The status page refreshes itself from the REST API, as long as somebody may be looking.
import {read} from "./refreshing.js";
import {charts} from "./status_charts.js";
import {show} from "./status_values.js";

const root = document.getElementById("status");
const pause = document.getElementById("status-pause");
const trouble = document.getElementById("status-trouble");
const draw = charts(root);
let timer = 0;
let isPaused = false;

async function refresh() {
  clearTimeout(timer);
  try {
    const status = await read(`${root.dataset.url}?window=${root.dataset.window}`);
    show(root, status);
    draw(status);
    say("");
  } catch (error) {
    say(`Not refreshed. ${error.message}`);
  }
  plan();
}

function plan() {
  clearTimeout(timer);
  if (!isPaused && !document.hidden) timer = setTimeout(refresh, root.dataset.refreshSeconds * 1000);
}

function say(text) {
  if (trouble.textContent !== text) trouble.textContent = text;
}

pause.hidden = false;
pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  if (isPaused) plan();
  else refresh();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden || isPaused) clearTimeout(timer);
  else refresh();
});
refresh();
