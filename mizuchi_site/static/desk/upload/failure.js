/** Why something did not work, in words for the page. */
export class UploadFailure extends Error {
  /**
   * @param {string} message
   * @param {{code?: string, isTemporary?: boolean}} more ``code`` is S3's; what is temporary is worth another try
   */
  constructor(message, {code = "", isTemporary = false} = {}) {
    super(message);
    this.name = "UploadFailure";
    this.code = code;
    this.isTemporary = isTemporary;
  }
}

/** Whether a status says that the same request may work later. */
export function isTemporaryStatus(status) {
  return status === 429 || status >= 500;
}
