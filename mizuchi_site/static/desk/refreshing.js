// Asking the REST API again and again, as long as somebody looks.

const hex = (length) =>
  Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** A header that asks for no trace (W3C Trace Context: not sampled): those of refreshing would soon be most of what
 * is kept. */
export function untraced() {
  return {traceparent: `00-${hex(16)}-${hex(8)}-00`};
}

/** What is at an address. Throws an Error that says why there is nothing. */
export async function read(address) {
  const answer = await fetch(address, {headers: {Accept: "application/json", ...untraced()}});
  if (answer.ok) return answer.json();
  throw new Error(answer.status === 401 || answer.status === 403 ? "You are logged out." : `Status ${answer.status}.`);
}

/** Runs `refresh` every so many milliseconds, while the page is visible; until it returns false. */
export function every(milliseconds, refresh) {
  const run = async () => {
    const goesOn = document.hidden || (await refresh());
    if (goesOn !== false) setTimeout(run, milliseconds);
  };
  setTimeout(run, milliseconds);
}
