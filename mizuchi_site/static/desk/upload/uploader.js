import {BasePlugin, EventManager} from "../../vendor/uppy/uppy.min.js";
import {Transfer} from "./transfer.js";

/** Uppy's uploader to this gateway: sends each file by a Transfer, which can be paused. */
export class GatewayUploader extends BasePlugin {
  /**
   * @param {{s3: object, slots: object, unfinished: object, targetOf: function(object): object,
   *   limitsOf: function(string): object}} opts ``targetOf`` a file that has no ``target`` in its meta yet
   */
  constructor(uppy, opts) {
    super(uppy, opts);
    this.type = "uploader";
    this.id = "GatewayUploader";
  }

  install() {
    const {capabilities} = this.uppy.getState();
    this.uppy.setState({capabilities: {...capabilities, resumableUploads: true}});
    this.uppy.addUploader(this.#upload);
  }

  uninstall() {
    this.uppy.removeUploader(this.#upload);
  }

  #upload = async (fileIds) => {
    const files = this.uppy.getFilesByIds(fileIds).filter((file) => !file.error && !file.progress.uploadComplete);
    this.uppy.emit("upload-start", files);
    await Promise.allSettled(files.map((file) => this.#send(file)));
  };

  /** Resolves when the file is stored, was removed, or failed. */
  #send(file) {
    const {promise, resolve} = Promise.withResolvers();
    const {s3, slots, unfinished, targetOf, limitsOf} = this.opts;
    const target = file.meta.target ?? targetOf(file);
    this.uppy.setFileMeta(file.id, {target});
    const transfer = new Transfer({
      file: file.data,
      target,
      contentType: contentTypeOf(file),
      limits: limitsOf(target.bucket),
      s3,
      slots,
      unfinished,
      onProgress: (bytesUploaded) => this.#progress(file, bytesUploaded),
    });
    const events = new EventManager(this.uppy);
    let running = null;

    const end = () => {
      running?.abort();
      events.remove();
      resolve();
    };
    const pause = () => {
      running?.abort();
      running = null;
    };
    const resume = async () => {
      if (running) return;
      const mine = (running = new AbortController());
      try {
        const stored = await transfer.run(mine.signal);
        if (!mine.signal.aborted) this.uppy.emit("upload-success", this.uppy.getFile(file.id), {status: 200, body: stored});
      } catch (error) {
        if (mine.signal.aborted) return;
        this.uppy.emit("upload-error", this.uppy.getFile(file.id), error);
      }
      end();
    };
    const abandon = () => {
      end();
      transfer.abandon().catch((error) => this.uppy.log(error, "warning"));
    };
    events.onFilePause(file.id, (isPaused) => (isPaused ? pause() : resume()));
    events.onPauseAll(file.id, pause);
    events.onResumeAll(file.id, resume);
    events.onFileRemove(file.id, abandon);
    events.onCancelAll(file.id, abandon);
    resume();
    return promise;
  }

  #progress(file, bytesUploaded) {
    const found = this.uppy.getFile(file.id);
    if (!found) return;
    const {uploadStarted} = found.progress;
    this.uppy.emit("upload-progress", found, {uploadStarted, bytesUploaded, bytesTotal: file.data.size});
  }
}

export function contentTypeOf(file) {
  return file.type || "application/octet-stream";
}
