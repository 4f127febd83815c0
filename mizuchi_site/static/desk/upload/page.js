import {Dashboard, Uppy} from "../../vendor/uppy/uppy.min.js";
import {onThemeChange} from "../chart_theme.js";
import {Destination} from "./destination.js";
import {refusal} from "./part_plan.js";
import {Results} from "./results.js";
import {Resumption} from "./resumption.js";
import {S3} from "./s3.js";
import {Signing} from "./signing.js";
import {Slots} from "./slots.js";
import {UnfinishedUploads} from "./unfinished.js";
import {GatewayUploader, contentTypeOf} from "./uploader.js";

// Browsers have six connections to a host: four for bodies, the others for signatures and the page.
const PARALLEL_BODIES = 4;

const page = document.getElementById("upload-page");
const form = document.getElementById("upload-destination");
const destination = new Destination(form);
const unfinished = new UnfinishedUploads(page.dataset.user);
const s3 = new S3(new Signing(page.dataset.signing, form.elements.csrfmiddlewaretoken.value));
const results = new Results(document.getElementById("upload-results"));

const uppy = new Uppy({onBeforeUpload: withTargets})
  .use(Dashboard, {
    inline: true,
    target: "#upload-area",
    width: "100%",
    height: 380,
    theme: theme(),
    disableThumbnailGenerator: true, // previews are blob: images, which the page's policy forbids
    proudlyDisplayPoweredByUppy: false,
    showRemoveButtonAfterComplete: true,
    note: page.dataset.note,
  })
  .use(GatewayUploader, {
    s3,
    unfinished,
    slots: new Slots(PARALLEL_BODIES),
    limitsOf: (bucket) => destination.limitsOf(bucket),
  });

const resumption = new Resumption(document.getElementById("upload-unfinished"), {
  unfinished,
  isRunning: ({bucket, key}) =>
    uppy.getFiles().some(({meta}) => meta.target?.bucket === bucket && meta.target.key === key),
  onChosen: goOn,
  onDiscard: discard,
});
resumption.show();

uppy.on("upload-success", (file, {body}) => results.add(file.meta.target, file.size, body));
uppy.on("upload-start", () => resumption.show());
uppy.on("file-removed", () => resumption.show());
onThemeChange(() => uppy.getPlugin("Dashboard").setOptions({theme: theme()}));

/** Uppy's onBeforeUpload: gives each file its key, or says what is wrong and begins nothing. */
function withTargets(files) {
  const targets = new Set();
  const given = {};
  for (const [id, file] of Object.entries(files)) {
    const target = file.meta.target ?? {bucket: destination.bucket, key: destination.keyOf(file)};
    const fault = targets.has(target.key)
      ? "would be stored twice under the same key."
      : destination.faultOf(target.key) || refused(file, target);
    if (fault) {
      uppy.info(`${file.name} ${fault}`, "error", 10000);
      return false;
    }
    targets.add(target.key);
    given[id] = {...file, meta: {...file.meta, target}};
  }
  return given;
}

function refused(file, {bucket}) {
  const limits = destination.limitsOf(bucket);
  if (!limits) return "goes to a bucket that is not open for uploads in the browser.";
  return refusal({size: file.size, type: contentTypeOf(file)}, limits);
}

function goOn(file, {bucket, key}) {
  uppy.addFile({name: file.name, type: file.type, data: file, meta: {target: {bucket, key}}});
  uppy.upload();
}

async function discard({bucket, key, uploadId}) {
  try {
    await s3.abortMultipartUpload({bucket, key}, uploadId);
  } catch (error) {
    if (error.code !== "NoSuchUpload") throw error;
  }
  unfinished.forget({bucket, key});
}

function theme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
