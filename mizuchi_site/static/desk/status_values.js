// Puts what the REST API tells into the places of the status page; mizuchi_site/templatetags/status_format.py
// does the same when the page is made.
import {durationText} from "./durations.js";
import {bytesText, countText, countsText, NONE, rateText, reasonsText, shareText} from "./numbers.js";

const GOOD = new Set(["ok", "healthy", "closed", "at work"]);
const DOUBTFUL = new Set(["degraded", "failing", "spooling", "half-open"]);
const EXPORTS = {
  export: "Spans to the collector",
  store: "Spans to the store on this machine",
  logs: "Log records to the collector",
};
const NO_BUCKET = "-";

const FORMATS = {
  text: String,
  count: countText,
  rate: rateText,
  bytes: bytesText,
  share: shareText,
  counts: countsText,
  reasons: reasonsText,
  duration: durationText,
  seconds: (seconds) => durationText(seconds * 1000),
  moment: (time) => `${time.slice(0, 10)} ${time.slice(11, 19)}`,
  clock: (time) => time.slice(11, 19),
  elapsed,
  since: (time, status) => elapsed(Math.max(Date.parse(status.at) - Date.parse(time), 0) / 1000),
  sum: (counts) => countText(Object.values(counts).reduce((sum, count) => sum + count, 0)),
  presence: (isGone) => (isGone ? "gone" : "at work"),
  export: (name) => EXPORTS[name] ?? name,
  list: (names) => names.join(", "),
  bucket: (name) => (name === NO_BUCKET ? "not configured" : name),
  tag: String,
  breakers: countsText,
};

/** Shows a status, as /api/v1/status/ tells it, in all places within root. */
export function show(root, status) {
  for (const list of root.querySelectorAll("[data-rows]")) showRows(list, status);
  for (const each of root.querySelectorAll("[data-shown-with]")) each.hidden = !status[each.dataset.shownWith].length;
  for (const each of root.querySelectorAll("[data-empty]")) each.hidden = status[each.dataset.empty].length > 0;
  fill(root, status, status, (element) => !element.closest("[data-rows]"));
}

function showRows(list, status) {
  const name = list.dataset.rows;
  const rows = list.dataset.order === "newest" ? status[name].toReversed() : status[name];
  const template = document.getElementById(`row-${name}`);
  while (list.children.length > rows.length) list.lastElementChild.remove();
  while (list.children.length < rows.length) list.append(template.content.firstElementChild.cloneNode(true));
  rows.forEach((row, index) => fill(list.children[index], row, status));
}

function fill(root, values, status, isWanted = () => true) {
  for (const element of root.querySelectorAll("[data-field]")) {
    if (isWanted(element)) put(element, at(values, element.dataset.field), status);
  }
  for (const link of root.querySelectorAll("[data-href-field]")) {
    if (isWanted(link)) lead(link, at(values, link.dataset.hrefField));
  }
}

function put(element, value, status) {
  const format = element.dataset.format ?? "text";
  const text = value === null ? (format === "text" ? "" : NONE) : FORMATS[format](value, status);
  if (element.textContent !== text) element.textContent = text;
  if (element.classList.contains("desk-tag")) {
    element.className = `desk-tag ${format === "breakers" ? worst(Object.keys(value)) : colourOf(text)}`;
  }
}

function lead(link, value) {
  const target = typeof value === "number" ? Math.round(value) : value;
  if (target === null || target === NO_BUCKET) link.removeAttribute("href");
  else link.href = link.dataset.href + encodeURIComponent(target);
}

function elapsed(seconds) {
  return seconds < 59.5 ? `${seconds.toFixed(0)} s` : durationText(seconds * 1000);
}

function at(values, path) {
  return path.split(".").reduce((value, name) => value?.[name] ?? null, values);
}

function colourOf(state) {
  if (GOOD.has(state)) return "ok";
  return DOUBTFUL.has(state) ? "warn" : "bad";
}

function worst(states) {
  const found = states.map(colourOf);
  return ["bad", "warn", "ok"].find((colour) => found.includes(colour)) ?? "";
}
