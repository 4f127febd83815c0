/** The SHA-256 of a Blob in Base64, as x-amz-checksum-sha256 has it. */
export async function sha256(content) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await content.arrayBuffer()));
  return btoa(String.fromCharCode(...digest));
}
