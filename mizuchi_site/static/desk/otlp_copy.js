// A trace as OTLP JSON on the clipboard.

/** Shows the button where the browser has a clipboard: only over HTTPS or on this machine. */
export function enableCopying(button, note) {
  if (!button || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    note.textContent = "";
    try {
      await navigator.clipboard.writeText(await fetched(button.dataset.otlp));
      note.textContent = "Copied.";
    } catch (error) {
      note.textContent = `Not copied: ${error.message}`;
    }
  });
}

async function fetched(url) {
  const answer = await fetch(url, {headers: {Accept: "application/json"}});
  if (!answer.ok) throw new Error(`the API answered ${answer.status}`);
  return answer.text();
}
