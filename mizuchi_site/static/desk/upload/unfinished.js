/**
 * Multipart uploads that were begun in this browser and are not over, kept when the page is left.
 *
 * @typedef {{bucket: string, key: string, name: string, size: number, lastModified: number,
 *   uploadId: string, partBytes: number, begunAt: number}} Unfinished of which ``begunAt`` is Unix time in milliseconds
 */
export class UnfinishedUploads extends EventTarget {
  #prefix;

  /** Each user of the desk has his own. */
  constructor(username) {
    super();
    this.#prefix = `mizuchi.unfinished:${username}:`;
  }

  /** @returns {Unfinished[]} oldest first */
  all() {
    return Object.keys(localStorage)
      .filter((name) => name.startsWith(this.#prefix))
      .map((name) => read(name))
      .filter(Boolean)
      .sort((one, other) => one.begunAt - other.begunAt);
  }

  /** The one of this very file to this very key, by its name, size and time of change. */
  of({bucket, key}, {name, size, lastModified}) {
    const found = read(this.#name({bucket, key}));
    const isSame = found?.name === name && found.size === size && found.lastModified === lastModified;
    return isSame ? found : null;
  }

  remember(upload) {
    try {
      localStorage.setItem(this.#name(upload), JSON.stringify(upload));
    } catch {
      return; // The storage is full or forbidden: the upload goes on, and ends with the page.
    }
    this.dispatchEvent(new Event("change"));
  }

  forget(target) {
    localStorage.removeItem(this.#name(target));
    this.dispatchEvent(new Event("change"));
  }

  #name({bucket, key}) {
    return `${this.#prefix}${bucket}/${key}`;
  }
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}
