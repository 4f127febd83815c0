// Numbers as people read them; the same as mizuchi_site/desk/number_text.py.

export const NONE = "–";
const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];

const grouped = new Intl.NumberFormat("en", {maximumFractionDigits: 0});

/** @param {number} number @returns {string} such as "12,345" */
export function countText(number) {
  return grouped.format(number);
}

/** @param {number} number @returns {string} with a decimal below 10: "0.4", "128" */
export function rateText(number) {
  if (number <= 0) return "0";
  if (number < 0.1) return "< 0.1";
  return number < 9.95 ? number.toFixed(1) : countText(number);
}

/** @param {number} number @returns {string} such as "512 B" or "1.5 MiB" */
export function bytesText(number) {
  if (number < 1024) return `${number.toFixed(0)} B`;
  let unit = "";
  for (unit of UNITS) {
    number /= 1024;
    if (number < 1023.5) break;
  }
  return `${number < 99.95 ? number.toFixed(1) : countText(number)} ${unit}`;
}

/** @param {?number} share of 1 @returns {string} in percent: only all is "100 %", only nothing "0 %" */
export function shareText(share) {
  if (share === null) return NONE;
  if (share === 0 || share === 1) return `${share * 100} %`;
  if (share < 0.001) return "< 0.1 %";
  return share > 0.999 ? "> 99.9 %" : `${(share * 100).toFixed(1)} %`;
}

/** @param {Object<string, number>} counts @returns {string} "closed", or "open 1, closed 3" */
export function countsText(counts) {
  const found = Object.entries(counts);
  if (found.length < 2) return found[0]?.[0] ?? NONE;
  return found.map(([name, count]) => `${name} ${countText(count)}`).join(", ");
}

/** @param {Object<string, number>} counts @returns {string} such as "7 (queue_full 5, shutdown 2)" */
export function reasonsText(counts) {
  const total = countText(Object.values(counts).reduce((sum, count) => sum + count, 0));
  const told = Object.entries(counts).map(([name, count]) => `${name} ${countText(count)}`).join(", ");
  return told ? `${total} (${told})` : total;
}
