// Bundles uppy.mjs into static/vendor/uppy: a minified ES module, its styles, and the licences of all within.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";

const here = import.meta.dirname;
const target = path.join(here, "..", "static", "vendor", "uppy");
const SOURCES = ["package-lock.json", "package.json", "uppy.mjs", "build.mjs"];

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { uppy: "uppy.mjs" },
  outdir: target,
  entryNames: "[name].min",
  bundle: true,
  format: "esm",
  minify: true,
  target: "es2022",
  legalComments: "none",
  banner: { js: "/* Uppy and what it needs; see LICENSES.txt. Built by: make upload-page */" },
  metafile: true,
});

/** The folders of the packages that are in the bundle. */
function packages(inputs) {
  const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
  return [...new Set(Object.keys(inputs).map((file) => folder.exec(file)?.[0]).filter(Boolean))].sort();
}

async function licence(folder) {
  const { name, version, license } = JSON.parse(await readFile(path.join(here, folder, "package.json"), "utf8"));
  const file = (await readdir(path.join(here, folder))).find((each) => /^licen[cs]e/i.test(each));
  const text = file ? await readFile(path.join(here, folder, file), "utf8") : `Licensed under ${license}.`;
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}

const licences = await Promise.all(packages(metafile.inputs).map(licence));
await writeFile(path.join(target, "LICENSES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));

// By this a test tells that the bundle is of these sources.
const sums = await Promise.all(
  SOURCES.map(async (name) => {
    const digest = createHash("sha256").update(await readFile(path.join(here, name))).digest("hex");
    return `${digest}  ${name}\n`;
  }),
);
await writeFile(path.join(target, "SOURCES.sha256"), sums.join(""));
