/** The list of files that failed, each with the reason; Uppy shows it only behind a question mark. */
export class Failures {
  #card;
  #list;

  /** @param {HTMLElement} card that holds a list */
  constructor(card) {
    this.#card = card;
    this.#list = card.querySelector("ul");
  }

  /** @param {{name: string, error: string}[]} files */
  show(files) {
    this.#list.replaceChildren(...files.map(({name, error}) => item(name, error)));
    this.#card.hidden = files.length === 0;
  }
}

function item(name, error) {
  const shown = document.createElement("li");
  const text = document.createElement("div");
  text.append(Object.assign(document.createElement("strong"), {textContent: name}));
  text.append(Object.assign(document.createElement("span"), {textContent: error, className: "upload-fault"}));
  shown.append(text);
  return shown;
}
