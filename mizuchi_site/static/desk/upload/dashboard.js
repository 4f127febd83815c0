import {Dashboard} from "../../vendor/uppy/uppy.min.js";
import {onThemeChange} from "../chart_theme.js";

/** Uppy's dashboard inside ``area``, light or dark as the desk is. */
export function addDashboard(uppy, area) {
  uppy.use(Dashboard, {
    inline: true,
    target: area,
    width: "100%",
    height: 380,
    theme: theme(),
    singleFileFullScreen: false,
    disableThumbnailGenerator: true, // previews are blob: images, which the desk's content policy forbids
    proudlyDisplayPoweredByUppy: false,
    showRemoveButtonAfterComplete: true,
  });
  onThemeChange(() => uppy.getPlugin("Dashboard").setOptions({theme: theme()}));
  nameTheList(area);
}

/** With one file, Uppy shows a list item outside of any list, which screen readers do not tell. */
function nameTheList(area) {
  const name = () => area.querySelector(".uppy-Dashboard-files:not([role])")?.setAttribute("role", "list");
  new MutationObserver(name).observe(area, {childList: true, subtree: true});
}

function theme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
