// Uploads one file with minio-js: minio.mjs MODE BUCKET KEY FILE.
// No region is given, so the client asks for the bucket's location first.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Client } from "minio";

const [mode, bucket, key, path] = process.argv.slice(2);
const endpoint = new URL(process.env.AWS_ENDPOINT_URL);
const client = new Client({
  endPoint: endpoint.hostname,
  port: Number(endpoint.port),
  useSSL: endpoint.protocol === "https:",
  accessKey: process.env.AWS_ACCESS_KEY_ID,
  secretKey: process.env.AWS_SECRET_ACCESS_KEY,
});

const uploads = {
  "fput-object": () => client.fPutObject(bucket, key, path),
  "put-stream": async () => client.putObject(bucket, key, createReadStream(path), (await stat(path)).size),
  "put-stream-unknown-length": () => client.putObject(bucket, key, createReadStream(path)),
};

await uploads[mode]();
