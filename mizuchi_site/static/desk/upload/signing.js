import {UploadFailure, isTemporaryStatus} from "./failure.js";

/** Asks the gateway for signed requests: one operation on one object each. */
export class Signing {
  #url;
  #csrfToken;

  constructor(url, csrfToken) {
    this.#url = url;
    this.#csrfToken = csrfToken;
  }

  /**
   * @param {string} operation of S3, such as "UploadPart"
   * @param {object} asked bucket, key, and what the operation needs more
   * @returns {Promise<{method: string, url: string, headers: Object<string, string>}>}
   */
  async sign(operation, asked, signal) {
    let answer;
    try {
      answer = await fetch(this.#url, {
        method: "POST",
        credentials: "same-origin",
        headers: {"Content-Type": "application/json", "X-CSRFToken": this.#csrfToken},
        body: JSON.stringify({operation, ...asked}),
        signal,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new UploadFailure("The gateway cannot be reached.", {isTemporary: true});
    }
    if (answer.ok) return answer.json();
    throw new UploadFailure(await reason(answer), {isTemporary: isTemporaryStatus(answer.status)});
  }
}

async function reason(answer) {
  if (answer.status === 401) return "You are not logged in any more. Log in, and add the file again to go on.";
  let said = {};
  try {
    said = await answer.json();
  } catch {
    return `The gateway did not sign the request (status ${answer.status}).`;
  }
  if (said.detail) return String(said.detail);
  return Object.entries(said).map(([field, faults]) => `${field}: ${[faults].flat().join(" ")}`).join(" ");
}
