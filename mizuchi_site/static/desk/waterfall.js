// The waterfall by keyboard, as the treegrid pattern of the ARIA Authoring Practices has it, and copying.
// Without this module everything is open and reachable by Tab.
import {enableCopying} from "./otlp_copy.js";

const WINDOW = "#window"; // the first request of a window of a large trace

const grid = document.querySelector(".wf");
if (grid) enableKeys(grid);
enableCopying(document.getElementById("copy-otlp"), document.getElementById("copy-otlp-note"));

function enableKeys(grid) {
  const rows = [...grid.querySelectorAll(".wf-row:not(.wf-header)")];
  if (!rows.length) return;
  for (const row of rows) {
    row.tabIndex = -1;
    for (const inner of row.querySelectorAll("summary, .wf-name a")) inner.tabIndex = -1;
  }
  const named = target(rows);
  (named ?? rows[0]).tabIndex = 0;
  if (location.hash !== WINDOW) open(named);

  grid.addEventListener("keydown", (event) => {
    if (event.target.getAttribute("role") !== "row" || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!act(rows, event.target, event.key)) return;
    event.preventDefault();
  });
  grid.addEventListener("focusin", (event) => {
    const row = event.target.closest(".wf-row");
    for (const each of rows) each.tabIndex = each === row ? 0 : -1;
  });
  grid.addEventListener("click", (event) => {
    const row = event.target.closest(".wf-row");
    if (event.target.closest(".wf-fold")) expand(rows, row, row.getAttribute("aria-expanded") === "false");
    if (event.target.closest("summary, .wf-fold")) row.focus();
  });
  addEventListener("hashchange", () => {
    const row = target(rows);
    if (!row) return;
    reveal(rows, row);
    open(row);
    row.focus();
  });
}

/** What a key does on a row; whether it means anything. */
function act(rows, row, key) {
  const shown = rows.filter((each) => !each.hidden);
  const at = shown.indexOf(row);
  switch (key) {
    case "ArrowDown": return focus(shown[at + 1]);
    case "ArrowUp": return focus(shown[at - 1]);
    case "Home": return focus(shown[0]);
    case "End": return focus(shown.at(-1));
    case "ArrowRight":
      if (row.getAttribute("aria-expanded") === "false") return expand(rows, row, true);
      return row.hasAttribute("aria-expanded") ? focus(shown[at + 1]) : true;
    case "ArrowLeft":
      if (row.getAttribute("aria-expanded") === "true") return expand(rows, row, false);
      return focus(parent(rows, row));
    case "Enter":
    case " ": return toggle(row);
    default: return false;
  }
}

function focus(row) {
  row?.focus();
  return true;
}

/** A folded line is a link; any other opens and closes its attributes and events. */
function toggle(row) {
  if (row.classList.contains("wf-folded")) row.querySelector("a").click();
  else open(row, !row.querySelector("details").open);
  return true;
}

/** The row that the address names: itself, or something in it. */
function target(rows) {
  const named = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  return named ? rows.find((row) => row.contains(named)) : undefined;
}

function open(row, isOpen = true) {
  const details = row?.querySelector("details");
  if (details) details.open = isOpen;
}

function level(row) {
  return Number(row.getAttribute("aria-level"));
}

function parent(rows, row) {
  return rows.slice(0, rows.indexOf(row)).findLast((each) => level(each) < level(row));
}

/** Show or hide the rows below one; those of a row that is folded itself stay hidden. */
function expand(rows, row, isExpanded) {
  row.setAttribute("aria-expanded", isExpanded);
  let foldedAt = isExpanded ? Infinity : level(row);
  for (const each of rows.slice(rows.indexOf(row) + 1)) {
    if (level(each) <= level(row)) break;
    if (level(each) <= foldedAt) foldedAt = Infinity;
    each.hidden = level(each) > foldedAt;
    if (!each.hidden && each.getAttribute("aria-expanded") === "false") foldedAt = level(each);
  }
  return true;
}

function reveal(rows, row) {
  for (let above = parent(rows, row); above; above = parent(rows, above)) expand(rows, above, true);
}
