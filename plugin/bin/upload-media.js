#!/usr/bin/env node
/*
 * upload-media FILE [flags]: gives a screenshot or a video of the agent's work to the control plane (S-527).
 * Prints its answer as JSON; what goes wrong goes to stderr, with exit status 1.
 */
import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { parseArgs } from "node:util";

import { callControlPlane, failureText } from "../tools/lib/control-plane.js";

const LIMIT_MS = 120_000;
const MIB = 1024 * 1024;

const TYPES = {
  ".png": { mime: "image/png", artifact: "screenshot" },
  ".jpg": { mime: "image/jpeg", artifact: "screenshot" },
  ".jpeg": { mime: "image/jpeg", artifact: "screenshot" },
  ".webp": { mime: "image/webp", artifact: "screenshot" },
  ".mp4": { mime: "video/mp4", artifact: "video" },
};

/* Flag: form field. Of a video the required ones come first. */
const FIELDS = {
  screenshot: {
    caption: "caption",
    "source-url": "sourceUrl",
    "full-page": "fullPage",
    annotated: "annotated",
    viewport: "viewport",
  },
  video: {
    caption: "caption",
    "duration-ms": "durationMs",
    "recording-started-at": "recordingStartedAt",
    "recording-ended-at": "recordingEndedAt",
    dimensions: "dimensions",
    truncated: "truncated",
    "has-audio": "hasAudio",
    "source-url": "sourceUrl",
    "end-url": "endUrl",
  },
};
const VIDEO_REQUIRED = ["caption", "duration-ms", "recording-started-at", "recording-ended-at", "dimensions", "truncated"];
const BYTES_MAX = { screenshot: 10 * MIB, video: 100 * MIB };
const SWITCHES = ["full-page", "annotated"];

const USAGE = `usage: upload-media FILE [flags]

A screenshot (.png, .jpg, .jpeg, .webp, up to 10 MiB):
  --caption TEXT  --source-url URL  --full-page  --annotated  --viewport '{"width":1280,"height":720}'

A video (.mp4, up to 100 MiB); the first six are required:
  --artifact-type video
  --caption TEXT  --duration-ms N  --recording-started-at MS  --recording-ended-at MS
  --dimensions '{"width":1280,"height":720}'  --truncated true|false
  --has-audio false  --source-url URL  --end-url URL
`;

/* "--durationMs" is as good as "--duration-ms". */
const dashed = (word) =>
  word.startsWith("--") ? word.replace(/^[^=]*/, (flag) => flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)) : word;

function parse(words) {
  const names = new Set(["artifact-type", ...Object.keys(FIELDS.screenshot), ...Object.keys(FIELDS.video)]);
  const options = Object.fromEntries([...names].map((name) => [name, { type: SWITCHES.includes(name) ? "boolean" : "string" }]));
  const { values, positionals } = parseArgs({ args: words.map(dashed), options, allowPositionals: true });
  if (positionals.length !== 1) throw new Error("exactly one file has to be named");
  return { file: positionals[0], values };
}

function chooseType(file, values) {
  const type = TYPES[extname(file).toLowerCase()];
  const artifact = values["artifact-type"] ?? "screenshot";
  if (!type) throw new Error(`${file}: only ${Object.keys(TYPES).join(", ")} can be uploaded`);
  if (!FIELDS[artifact]) throw new Error(`--artifact-type must be screenshot or video, not ${artifact}`);
  if (type.artifact !== artifact) throw new Error(`${file}: ${extname(file)} is no ${artifact}; see --artifact-type`);
  return { ...type, artifact };
}

async function buildForm(file, values, { mime, artifact }) {
  const { size } = await stat(file);
  if (size > BYTES_MAX[artifact]) throw new Error(`${file}: larger than ${BYTES_MAX[artifact] / MIB} MiB`);
  const missing = artifact === "video" ? VIDEO_REQUIRED.filter((name) => values[name] === undefined) : [];
  if (missing.length > 0) throw new Error(`a video needs ${missing.map((name) => `--${name}`).join(", ")}`);
  const form = new FormData();
  form.append("file", new Blob([await readFile(file)], { type: mime }), basename(file));
  form.append("artifactType", artifact);
  for (const [flag, field] of Object.entries(FIELDS[artifact])) {
    const value = values[flag] ?? (flag === "has-audio" ? "false" : undefined);
    if (value !== undefined) form.append(field, String(value));
  }
  return form;
}

async function main(words) {
  if (words.length === 0 || words.includes("--help")) {
    process.stdout.write(USAGE);
    return;
  }
  const { file, values } = parse(words);
  const form = await buildForm(file, values, chooseType(file, values));
  const { status, body, problem } = await callControlPlane("/media", { env: process.env, form, timeoutMs: LIMIT_MS });
  if (problem) throw new Error(problem);
  if (status < 200 || status > 299) throw new Error(`the control plane answered HTTP ${status}: ${failureText(body)}`);
  console.log(JSON.stringify(body));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`upload-media: ${error.message}`);
  process.exitCode = 1;
}
