// Colours of charts: those of the style sheet, light or dark.

/** The value of a CSS variable, such as "--desk-ok", in the theme as it is now. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Calls back when the theme changes: by the button of the page or by the system. */
export function onThemeChange(callback) {
  new MutationObserver(callback).observe(document.documentElement, {attributeFilter: ["data-theme"]});
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);
}
