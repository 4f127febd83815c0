// Times as people read them; the same as mizuchi_site/desk/durations.py.

/** @param {number} milliseconds @returns {string} such as "2.5 ms" or "2.41 s" */
export function durationText(milliseconds) {
  if (milliseconds < 1) return milliseconds > 0 ? `${(milliseconds * 1000).toFixed(0)} µs` : "0";
  if (milliseconds < 100) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 999.5) return `${milliseconds.toFixed(0)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const parts = hours ? [[hours, "h"], [minutes, "min"]] : [[minutes, "min"], [whole % 60, "s"]];
  return parts.filter(([number]) => number).map(([number, unit]) => `${number} ${unit}`).join(" ");
}
