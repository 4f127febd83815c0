import {bytesText} from "./part_plan.js";

/** The list of what was stored, newest first. */
export class Results {
  #list;
  #template;
  #card;

  /** @param {HTMLElement} card that holds a list and the template of its items */
  constructor(card) {
    this.#card = card;
    this.#list = card.querySelector("ul");
    this.#template = card.querySelector("template");
  }

  /** @param {{bucket: string, key: string}} target @param {{etag: string, checksum: string, requestId: string}} stored */
  add({bucket, key}, size, {etag, checksum, requestId}) {
    const item = this.#template.content.cloneNode(true);
    const texts = {
      address: `${bucket}/${key}`,
      size: bytesText(size),
      etag: etag.replaceAll('"', ""),
      checksum: checksum || "none",
      request: requestId,
    };
    for (const [name, text] of Object.entries(texts)) item.querySelector(`[data-field="${name}"]`).textContent = text;
    for (const link of item.querySelectorAll("a[data-address]")) {
      link.href = link.dataset.address.replace("REQUEST_ID", encodeURIComponent(requestId));
    }
    this.#list.prepend(item);
    this.#card.hidden = false;
  }
}
