const MIB = 1024 ** 2;
const PART_BYTES = 8 * MIB;

/** @typedef {{maxObjectBytes: number, maxPartBytes: number, maxParts: number, contentTypes: string[]}} Limits of a bucket */

/** Bytes of each part but the last; files that are no longer go in one piece. */
export function partBytes(size, {maxPartBytes, maxParts}) {
  const needed = Math.ceil(size / maxParts / MIB) * MIB;
  return Math.min(Math.max(PART_BYTES, needed), maxPartBytes);
}

/** Where each part is in the file. @returns {{number: number, start: number, end: number}[]} */
export function partRanges(size, bytes) {
  return Array.from({length: Math.ceil(size / bytes)}, (_, index) => ({
    number: index + 1,
    start: index * bytes,
    end: Math.min((index + 1) * bytes, size),
  }));
}

/** What the bucket would refuse of a file, in words; "" for nothing. */
export function refusal({size, type}, limits) {
  if (size > limits.maxObjectBytes) return `is larger than this bucket takes (${bytesText(limits.maxObjectBytes)}).`;
  if (Math.ceil(size / partBytes(size, limits)) > limits.maxParts) return "needs more parts than this bucket takes.";
  if (limits.contentTypes.length && !limits.contentTypes.some((each) => matches(type, each))) {
    return `is of a type that this bucket does not take; it takes ${limits.contentTypes.join(", ")}.`;
  }
  return "";
}

export function bytesText(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${Number((bytes / 1024 ** power).toFixed(1))} ${units[power]}`;
}

function matches(type, pattern) {
  return pattern.endsWith("/*") ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}
