import {bytesText} from "./part_plan.js";

/** The list of uploads that were begun here before: each can be gone on with, by choosing its file, or discarded. */
export class Resumption {
  #card;
  #list;
  #template;
  #unfinished;
  #isRunning;
  #onChosen;
  #onDiscard;

  /**
   * @param {HTMLElement} card that holds a list and the template of its items
   * @param {{unfinished: object, isRunning: function(object): boolean, onChosen: function(File, object): void,
   *   onDiscard: function(object): Promise<void>}} parts
   */
  constructor(card, {unfinished, isRunning, onChosen, onDiscard}) {
    this.#card = card;
    this.#list = card.querySelector("ul");
    this.#template = card.querySelector("template");
    this.#unfinished = unfinished;
    this.#isRunning = isRunning;
    this.#onChosen = onChosen;
    this.#onDiscard = onDiscard;
    unfinished.addEventListener("change", () => this.show());
  }

  show() {
    const waiting = this.#unfinished.all().filter((upload) => !this.#isRunning(upload));
    this.#list.replaceChildren(...waiting.map((upload) => this.#item(upload)));
    this.#card.hidden = waiting.length === 0;
  }

  #item(upload) {
    const item = this.#template.content.cloneNode(true);
    const begun = new Date(upload.begunAt).toISOString().slice(0, 16).replace("T", " ");
    item.querySelector('[data-field="name"]').textContent = upload.name;
    item.querySelector('[data-field="facts"]').textContent =
      `${bytesText(upload.size)} to ${upload.bucket}/${upload.key}, begun ${begun} UTC`;
    const fault = item.querySelector('[role="alert"]');
    const chooser = item.querySelector("input");
    const choose = item.querySelector("button[data-action=choose]");
    choose.setAttribute("aria-label", `Choose file ${upload.name} again`);
    choose.onclick = () => chooser.click();
    chooser.onchange = () => {
      const [file] = chooser.files;
      if (!file) return;
      if (this.#unfinished.of(upload, file)) this.#onChosen(file, upload);
      else fault.textContent = `This is another file: name, size or time of change differ from those of ${upload.name}.`;
    };
    const discard = item.querySelector("button[data-action=discard]");
    discard.setAttribute("aria-label", `Discard ${upload.name}`);
    discard.onclick = async () => {
      discard.disabled = true;
      try {
        await this.#onDiscard(upload);
      } catch (error) {
        fault.textContent = error.message;
        discard.disabled = false;
      }
    };
    return item;
  }
}
