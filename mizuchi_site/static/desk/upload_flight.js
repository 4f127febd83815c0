// An upload under way, as the REST API tells of it, shown in an element with a place for each value.

import {bytesText} from "./numbers.js";

function amount(flight) {
  const came = bytesText(flight.received_bytes);
  if (flight.method === "multipart") {
    const parts = flight.parts ?? 0;
    return `${parts} ${parts === 1 ? "part" : "parts"}, ${came}`;
  }
  if (!flight.declared_bytes) return came;
  const share = Math.floor((flight.received_bytes / flight.declared_bytes) * 100);
  return `${came} of ${bytesText(flight.declared_bytes)} · ${share} %`;
}

/** The element inside `node` that shows a value. */
export function place(node, name) {
  return node.querySelector(`[data-is="${name}"]`);
}

/** Brings `node` up to date with a flight. */
export function show(node, flight) {
  place(node, "stage").textContent = flight.stage;
  place(node, "amount").textContent = amount(flight);
  place(node, "rate").textContent = flight.bodies.length ? `${bytesText(flight.bytes_per_second)}/s` : "";
  showBodies(place(node, "bodies"), flight.bodies);
}

// Bars are kept, so that they grow instead of being made anew.
function showBodies(list, bodies) {
  while (list.children.length > bodies.length) list.lastElementChild.remove();
  bodies.forEach((body, index) => {
    const item = list.children[index] ?? list.appendChild(document.createElement("li"));
    let bar = item.querySelector("progress");
    if (!bar) {
      item.append(document.createElement("span"), (bar = document.createElement("progress")));
      item.firstElementChild.className = "flight-part";
    }
    const part = item.querySelector(".flight-part");
    if (part) part.textContent = body.part_number ? `part ${body.part_number}` : "";
    bar.setAttribute("aria-label", body.part_number ? `Part ${body.part_number}` : "Received");
    if (body.declared_bytes) {
      bar.max = body.declared_bytes;
      bar.value = body.received_bytes;
    } else {
      bar.removeAttribute("value");
    }
  });
}
