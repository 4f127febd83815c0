import {sha256} from "./checksum.js";
import {partBytes, partRanges} from "./part_plan.js";

const RETRY_DELAYS_MS = [500, 2000, 5000, 10000];

/**
 * One file on its way to one key: in one piece, or as a multipart upload whose parts go in parallel. Every body
 * goes with its SHA-256. ``run`` may be called again after it was stopped or failed, and goes on.
 */
export class Transfer {
  #file;
  #target;
  #contentType;
  #limits;
  #s3;
  #slots;
  #unfinished;
  #onProgress;
  #upload = null;
  #done = new Map();
  #doneBytes = 0;
  #sent = new Map();

  /**
   * @param {{file: File, target: {bucket: string, key: string}, contentType: string, limits: object, s3: object,
   *   slots: object, unfinished: object, onProgress: function(number): void}} parts ``onProgress`` is told bytes
   */
  constructor({file, target, contentType, limits, s3, slots, unfinished, onProgress}) {
    this.#file = file;
    this.#target = target;
    this.#contentType = contentType;
    this.#limits = limits;
    this.#s3 = s3;
    this.#slots = slots;
    this.#unfinished = unfinished;
    this.#onProgress = onProgress;
  }

  /** Sends what is not there yet. @returns {Promise<{etag: string, checksum: string, requestId: string}>} */
  async run(signal) {
    const bytes = partBytes(this.#file.size, this.#limits);
    if (this.#file.size <= bytes) return this.#slots.run(() => this.#putWhole(signal), signal);
    if (!this.#upload) await this.#takeUp(signal);
    if (!this.#upload) await this.#begin(bytes, signal);
    await this.#sendParts(signal);
    const stored = await retried(
      () => this.#s3.completeMultipartUpload(this.#target, this.#upload.uploadId, this.#done, signal),
      signal,
    );
    this.#unfinished.forget(this.#target);
    return stored;
  }

  /** Ends the upload at the gateway, and its parts with it. */
  async abandon() {
    if (!this.#upload) return;
    this.#unfinished.forget(this.#target);
    await this.#s3.abortMultipartUpload(this.#target, this.#upload.uploadId);
  }

  async #putWhole(signal) {
    const checksum = await sha256(this.#file);
    return retried(
      () =>
        this.#s3.putObject(this.#target, this.#file, {
          contentType: this.#contentType,
          checksum,
          onProgress: this.#onProgress,
          signal,
        }),
      signal,
    );
  }

  /** Goes on with an upload of before, if there is one: its parts are kept that are those of the file. */
  async #takeUp(signal) {
    const found = this.#unfinished.of(this.#target, this.#file);
    if (!found) return;
    let listed;
    try {
      listed = await retried(() => this.#s3.listParts(this.#target, found.uploadId, signal), signal);
    } catch (error) {
      if (error.code !== "NoSuchUpload") throw error;
      this.#unfinished.forget(this.#target);
      return;
    }
    for (const range of partRanges(this.#file.size, found.partBytes)) {
      const part = listed.get(range.number);
      if (part?.size !== range.end - range.start) continue;
      const checksum = await sha256(this.#file.slice(range.start, range.end));
      signal.throwIfAborted();
      // A storage that keeps no checksums lists none: then the size must do.
      if (part.checksum === "" || part.checksum === checksum) this.#finish(range, {etag: part.etag, checksum});
    }
    this.#upload = found;
  }

  async #begin(bytes, signal) {
    const {uploadId} = await retried(
      () => this.#s3.createMultipartUpload(this.#target, this.#contentType, signal),
      signal,
    );
    const {name, size, lastModified} = this.#file;
    const begun = {name, size, lastModified, uploadId, partBytes: bytes, begunAt: Date.now()};
    this.#upload = {...this.#target, ...begun};
    this.#unfinished.remember(this.#upload);
  }

  /** The first part that fails stops the others. */
  async #sendParts(outer) {
    const stop = new AbortController();
    const signal = AbortSignal.any([outer, stop.signal]);
    const missing = partRanges(this.#file.size, this.#upload.partBytes).filter(({number}) => !this.#done.has(number));
    try {
      await Promise.all(
        missing.map((range) => this.#slots.run(() => this.#sendPart(range, signal), signal)),
      );
    } finally {
      stop.abort();
      this.#sent.clear();
    }
  }

  async #sendPart(range, signal) {
    const content = this.#file.slice(range.start, range.end);
    const checksum = await sha256(content);
    const onProgress = (bytes) => {
      this.#sent.set(range.number, bytes);
      this.#progress();
    };
    const part = await retried(
      () =>
        this.#s3.uploadPart(this.#target, this.#upload.uploadId, range.number, content, {
          checksum,
          onProgress,
          signal,
        }),
      signal,
    );
    this.#finish(range, part);
  }

  #finish({number, start, end}, part) {
    this.#done.set(number, part);
    this.#doneBytes += end - start;
    this.#sent.delete(number);
    this.#progress();
  }

  #progress() {
    this.#onProgress([...this.#sent.values()].reduce((sum, bytes) => sum + bytes, this.#doneBytes));
  }
}

async function retried(attempt, signal) {
  for (const delay of RETRY_DELAYS_MS) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!error.isTemporary) throw error;
    }
    await waited(delay, signal);
  }
  signal.throwIfAborted();
  return attempt();
}

/** Resolves after a time, or as soon as the signal is aborted. */
function waited(milliseconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
