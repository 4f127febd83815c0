import {Uppy} from "../../vendor/uppy/uppy.min.js";
import {addDashboard} from "./dashboard.js";
import {Destination} from "./destination.js";
import {Failures} from "./failures.js";
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
const failures = new Failures(document.getElementById("upload-failures"));
const results = new Results(document.getElementById("upload-results"));

const uppy = new Uppy({onBeforeUpload: withTargets});
addDashboard(uppy, document.getElementById("upload-area"));
uppy.use(GatewayUploader, {
  s3,
  unfinished,
  slots: new Slots(PARALLEL_BODIES),
  targetOf,
  limitsOf: (bucket) => destination.limitsOf(bucket),
});

const resumption = new Resumption(document.getElementById("upload-unfinished"), {
  unfinished,
  isRunning: ({bucket, key}) =>
    uppy.getFiles().some(({meta}) => meta.target?.bucket === bucket && meta.target.key === key),
  onChosen: goOn,
  onDiscard: discard,
});
showLists();

uppy.on("upload-success", (file, {body}) => results.add(file.meta.target, file.size, body));
uppy.on("upload-error", (file) => {
  // What was begun goes on where it is; else another try is for the folder as it is then.
  if (!unfinished.of(file.meta.target, file.data)) uppy.setFileMeta(file.id, {target: undefined});
});
for (const change of ["upload-start", "upload-error", "file-removed"]) uppy.on(change, showLists);

function showLists() {
  resumption.show();
  failures.show(uppy.getFiles().filter(({error}) => error));
}

/** Uppy's onBeforeUpload: gives each file its key, or says what is wrong and begins nothing. */
function withTargets(files) {
  const addresses = new Set();
  const given = {...files};
  for (const [id, file] of Object.entries(files)) {
    if (file.progress.uploadComplete) continue;
    const target = file.meta.target ?? targetOf(file);
    const address = `${target.bucket}/${target.key}`;
    const fault = addresses.has(address)
      ? "has the same key as another of these files."
      : destination.faultOf(target.key) || refused(file, target);
    if (fault) {
      uppy.info(`${file.name} ${fault}`, "error", 10000);
      return false;
    }
    addresses.add(address);
    given[id] = {...file, meta: {...file.meta, target}};
  }
  return given;
}

function targetOf(file) {
  return {bucket: destination.bucket, key: destination.keyOf(file)};
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
