import {UploadFailure, isTemporaryStatus} from "./failure.js";

const TEMPORARY_CODES = new Set(["RequestTimeout", "IncompleteBody", "ExpiredToken"]);

/**
 * The S3 API of this gateway, as far as uploading goes. Every request is signed right before it is sent.
 *
 * @typedef {{bucket: string, key: string}} Target
 * @typedef {{etag: string, checksum: string}} Part of which ``checksum`` is the SHA-256 in Base64, or ""
 * @typedef {{etag: string, checksum: string, requestId: string}} Stored
 */
export class S3 {
  #signing;

  constructor(signing) {
    this.#signing = signing;
  }

  /** @returns {Promise<Stored>} */
  async putObject(target, content, {contentType, checksum, onProgress, signal}) {
    const asked = {...target, content_type: contentType, checksum_sha256: checksum};
    const request = await this.#send("PutObject", asked, {body: content, onProgress, signal});
    return {etag: etagOf(request), checksum, requestId: requestIdOf(request)};
  }

  /** @returns {Promise<{uploadId: string, requestId: string}>} */
  async createMultipartUpload(target, contentType, signal) {
    const request = await this.#send("CreateMultipartUpload", {...target, content_type: contentType}, {signal});
    return {uploadId: textOf(request.responseXML, "UploadId"), requestId: requestIdOf(request)};
  }

  /** @returns {Promise<Part>} */
  async uploadPart(target, uploadId, number, content, {checksum, onProgress, signal}) {
    const asked = {...target, upload_id: uploadId, part_number: number, checksum_sha256: checksum};
    const request = await this.#send("UploadPart", asked, {body: content, onProgress, signal});
    return {etag: etagOf(request), checksum};
  }

  /** All parts that are there, by number. @returns {Promise<Map<number, Part & {size: number}>>} */
  async listParts(target, uploadId, signal) {
    const parts = new Map();
    let marker = 0;
    for (;;) {
      const asked = {...target, upload_id: uploadId, part_number_marker: marker};
      const page = (await this.#send("ListParts", asked, {signal})).responseXML;
      for (const part of page.getElementsByTagName("Part")) {
        parts.set(Number(textOf(part, "PartNumber")), {
          size: Number(textOf(part, "Size")),
          etag: textOf(part, "ETag"),
          checksum: textOf(part, "ChecksumSHA256"),
        });
      }
      if (textOf(page, "IsTruncated") !== "true") return parts;
      marker = Number(textOf(page, "NextPartNumberMarker"));
    }
  }

  /** @param {Map<number, Part>} parts @returns {Promise<Stored>} */
  async completeMultipartUpload(target, uploadId, parts, signal) {
    const body = partList(parts);
    const request = await this.#send("CompleteMultipartUpload", {...target, upload_id: uploadId}, {body, signal});
    const answer = request.responseXML;
    return {
      etag: textOf(answer, "ETag"),
      checksum: textOf(answer, "ChecksumSHA256"),
      requestId: requestIdOf(request),
    };
  }

  async abortMultipartUpload(target, uploadId, signal) {
    await this.#send("AbortMultipartUpload", {...target, upload_id: uploadId}, {signal});
  }

  async #send(operation, asked, {body, onProgress, signal}) {
    const signed = await this.#signing.sign(operation, asked, signal);
    const request = await sent(signed, {body, onProgress, signal});
    if (request.status >= 200 && request.status < 300) return request;
    throw failureOf(request);
  }
}

/** @returns {Promise<XMLHttpRequest>} once it is answered; fetch() tells nothing of how far a body has come */
function sent({method, url, headers}, {body = null, onProgress, signal}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    const end = (settle, value) => {
      signal?.removeEventListener("abort", abort);
      settle(value);
    };
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress?.(event.loaded);
    request.onload = () => end(resolve, request);
    request.onabort = () => end(reject, signal.reason);
    request.onerror = () =>
      end(reject, new UploadFailure("The connection to the gateway broke.", {isTemporary: true}));
    if (signal?.aborted) return end(reject, signal.reason);
    signal?.addEventListener("abort", abort);
    request.send(body);
  });
}

function failureOf(request) {
  const code = textOf(request.responseXML, "Code");
  const message = textOf(request.responseXML, "Message") || `The gateway answered with status ${request.status}.`;
  const requestId = requestIdOf(request);
  return new UploadFailure(requestId ? `${message} (${code}, request id ${requestId})` : message, {
    code,
    isTemporary: isTemporaryStatus(request.status) || TEMPORARY_CODES.has(code),
  });
}

function partList(parts) {
  const list = document.implementation.createDocument(null, "CompleteMultipartUpload");
  for (const [number, {etag, checksum}] of [...parts].sort(([one], [other]) => one - other)) {
    const part = list.documentElement.appendChild(list.createElement("Part"));
    for (const [name, text] of [["PartNumber", number], ["ETag", etag], ["ChecksumSHA256", checksum]]) {
      part.appendChild(list.createElement(name)).textContent = text;
    }
  }
  return new Blob([new XMLSerializer().serializeToString(list)]);
}

function textOf(node, name) {
  return node?.getElementsByTagName(name)[0]?.textContent ?? "";
}

function etagOf(request) {
  return request.getResponseHeader("ETag") ?? "";
}

function requestIdOf(request) {
  return request.getResponseHeader("x-amz-request-id") ?? "";
}
