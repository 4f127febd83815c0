// Uploads one file with the AWS SDK for JavaScript: aws-sdk.mjs MODE BUCKET KEY FILE.
// Endpoint, region and keys come from the AWS_* variables, as the SDK reads them.
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { S3Client, PutObjectCommand } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";

const [mode, Bucket, Key, path] = process.argv.slice(2);
const client = new S3Client({ forcePathStyle: true, maxAttempts: 1 });

const put = (input) => client.send(new PutObjectCommand({ Bucket, Key, ...input }));
const managed = (Body) => new Upload({ client, params: { Bucket, Key, Body } }).done();

const uploads = {
  "put-buffer": async () => put({ Body: await readFile(path) }),
  "put-stream": async () => put({ Body: createReadStream(path), ContentLength: (await stat(path)).size }),
  "upload-stream": () => managed(createReadStream(path)),
  // A PassThrough has neither a path nor a length that the SDK could look up.
  "upload-unknown-length": () => managed(createReadStream(path).pipe(new PassThrough())),
};

await uploads[mode]();
