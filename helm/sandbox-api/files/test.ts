// Sends one program to the API, as a client in the cluster does, and ends with 0 if the answer is right. It runs in the
// service's image, which has no file of it: helm passes the text to Node.
import { existsSync, readFileSync } from "node:fs";

/** Where the keys are mounted, one name:secret a line; without them the API is asked without a key. */
const KEYS = "/keys/api-keys";

function keyHeader(): Record<string, string> {
  if (!existsSync(KEYS)) return {};
  const lines = readFileSync(KEYS, "utf8")
    .split("\n")
    .map((line) => line.trim());
  const first = lines.find((line) => line !== "" && !line.startsWith("#")) ?? "";
  return { "x-api-key": first.slice(first.indexOf(":") + 1) };
}

const { API_HOST: host = "", API_PORT: port = "" } = process.env;
const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}/api/run/sync`;
const response = await fetch(url, {
  method: "POST",
  headers: { "content-type": "application/json", ...keyHeader() },
  body: JSON.stringify({ language: "python", code: "a, b = 1, 2\nprint(a + b)" }),
  signal: AbortSignal.timeout(200_000),
});
const text = await response.text();
console.log(`${url} answered ${response.status}: ${text}`);
process.exitCode = response.status === 200 && text.includes(String.raw`"stdout":"3\n"`) ? 0 : 1;
