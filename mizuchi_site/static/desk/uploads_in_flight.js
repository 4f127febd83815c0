// Keeps the list of uploads in flight up to date. What is over says how it ended, and leaves after a while.

import {every, read} from "./refreshing.js";
import {place, show} from "./upload_flight.js";

const REFRESH_MS = 2000;
const OVER_SHOWN_MS = 20000;
const STATE_CLASSES = {STORED: "ok", FAILED: "bad", ABORTED: "warn"};

const list = document.getElementById("flights");
const count = document.getElementById("flight-count");
const fault = document.getElementById("flight-fault");
const blank = document.getElementById("flight");

const itemOf = (id) => list.querySelector(`[data-upload="${id}"]`)?.closest("li");
const numbered = (address, id) => address.replace("/0/", `/${id}/`);
const utc = (time) => `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`;

function made(flight) {
  const item = blank.content.cloneNode(true).firstElementChild;
  item.querySelector(".flight").dataset.upload = flight.id;
  place(item, "name").href = numbered(list.dataset.page, flight.id);
  place(item, "bucket").textContent = `${flight.bucket}/`;
  place(item, "key").textContent = flight.key;
  place(item, "since").textContent = `since ${utc(flight.began_at)}`;
  place(item, "principal").textContent = flight.principal;
  return item;
}

async function showEnd(item, id) {
  item.dataset.over = "";
  try {
    const upload = await read(numbered(list.dataset.upload, id));
    if (upload.state === "RECEIVING") {
      delete item.dataset.over;
      return;
    }
    const tag = place(item, "stage");
    tag.textContent = upload.state.toLowerCase() + (upload.error_code ? ` · ${upload.error_code}` : "");
    tag.classList.add(STATE_CLASSES[upload.state]);
    place(item, "rate").textContent = "";
    place(item, "bodies").replaceChildren();
  } catch {
    // It is over; how, the list of uploads says.
  }
  setTimeout(() => item.remove(), OVER_SHOWN_MS);
}

async function refresh() {
  let board;
  try {
    board = await read(list.dataset.address);
    fault.textContent = "";
  } catch (error) {
    fault.textContent = `This is not up to date: ${error.message}`;
    return;
  }
  const shown = new Set(board.uploads.map((flight) => String(flight.id)));
  for (const node of list.querySelectorAll("li:not([data-over]) .flight")) {
    if (!shown.has(node.dataset.upload)) showEnd(node.closest("li"), node.dataset.upload);
  }
  for (const flight of board.uploads) {
    show(itemOf(flight.id) ?? list.appendChild(made(flight)), flight);
  }
  count.textContent = `${shown.size}${board.is_cut_off ? " or more" : ""} in flight`;
  document.getElementById("flight-begun").textContent = board.just_begun
    ? `and ${board.just_begun} that began in the last seconds`
    : "";
  document.getElementById("flight-none").hidden = Boolean(list.children.length);
}

every(REFRESH_MS, refresh);
