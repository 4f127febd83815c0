const MAX_KEY_BYTES = 1024;
const REMEMBERED = "mizuchi.upload-destination";

/** Where files go: the bucket and the folder of the form, which are remembered in this browser. */
export class Destination {
  #form;
  #bucket;
  #folder;
  #own;

  /** @param {HTMLFormElement} form with the fields ``bucket`` and ``folder`` */
  constructor(form) {
    this.#form = form;
    this.#bucket = form.elements.bucket;
    this.#folder = form.elements.folder;
    this.#own = form.querySelector("#own-folder");
    this.#restore();
    form.addEventListener("input", () => this.#changed());
    form.addEventListener("submit", (event) => event.preventDefault());
    this.#changed();
  }

  get bucket() {
    return this.#bucket.value;
  }

  /** Of a bucket, as part_plan.js has them; null for one that is not open any more. */
  limitsOf(bucket) {
    const option = [...this.#bucket.options].find((each) => each.value === bucket);
    return option ? limitsIn(option.dataset) : null;
  }

  /** The key of a file by its name, or by its path when a folder was dropped. */
  keyOf({name, meta}) {
    const folder = this.#folder.value.replace(/^\/+|\/+$/g, "");
    return `${this.#ownFolder}${folder ? `${folder}/` : ""}${(meta.relativePath || name).replace(/^\/+/, "")}`;
  }

  /** What is wrong with a key, in words; "" for nothing. The gateway has the last word. */
  faultOf(key) {
    if (key.split("/").some((segment) => [".", ".."].includes(segment))) return 'has "." or ".." as a folder or name.';
    if (/[\u0000-\u001f\u007f]/.test(key)) return "has a control character.";
    if (new TextEncoder().encode(key).length > MAX_KEY_BYTES) return `is longer than ${MAX_KEY_BYTES} bytes.`;
    return "";
  }

  get #ownFolder() {
    return this.#bucket.selectedOptions[0]?.dataset.ownFolder ?? "";
  }

  #changed() {
    this.#own.textContent = this.#ownFolder;
    this.#own.hidden = !this.#ownFolder;
    const fault = this.faultOf(this.keyOf({name: "file", meta: {}}));
    this.#folder.setCustomValidity(fault && `The folder ${fault}`);
    this.#folder.toggleAttribute("aria-invalid", Boolean(fault));
    this.#form.querySelector("#folder-fault").textContent = fault && `The folder ${fault}`;
    const chosen = {bucket: this.bucket, folder: this.#folder.value};
    sessionStorage.setItem(REMEMBERED, JSON.stringify(chosen));
  }

  #restore() {
    const remembered = JSON.parse(sessionStorage.getItem(REMEMBERED) ?? "{}");
    if (this.limitsOf(remembered.bucket)) this.#bucket.value = remembered.bucket;
    this.#folder.value = remembered.folder ?? "";
  }
}

function limitsIn(data) {
  return {
    maxObjectBytes: Number(data.maxObjectBytes),
    maxPartBytes: Number(data.maxPartBytes),
    maxParts: Number(data.maxParts),
    contentTypes: data.contentTypes.split(" ").filter(Boolean),
  };
}
