import "@uppy/core/css/style.min.css";
import "@uppy/dashboard/css/style.min.css";

export { BasePlugin, EventManager, Uppy } from "@uppy/core";
export { default as Dashboard } from "@uppy/dashboard";
