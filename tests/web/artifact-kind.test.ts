import { expect, test } from "vitest";

import { artifactKind } from "../../web/run/artifact-kind.ts";

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));

test.for([
  ["PNG", "\u0089PNG\r\n\u001a\n\0\0", "image/png"],
  ["JPEG", "\u00ff\u00d8\u00ff\u00e0", "image/jpeg"],
  ["GIF", "GIF89a\0", "image/gif"],
  ["WebP", "RIFF\u0010\0\0\0WEBPVP8 ", "image/webp"],
] as const)("%s is shown as an image, by its first bytes", ([, text, type]) => {
  expect(artifactKind(bytesOf(text))).toEqual({ kind: "image", type });
});

test.for([
  ["SVG, which can hold scripts", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`],
  ["HTML", "<!doctype html><script>alert(1)</script>"],
  ["what only calls itself an image", "PNG"],
  ["an empty file", ""],
] as const)("%s is shown as text", ([, text]) => {
  expect(artifactKind(bytesOf(text))).toEqual({ kind: "text", text });
});

test.for([
  ["an archive", "PK\u0003\u0004\0\0"],
  ["what is not UTF-8", "\u00ff\u00fe"],
  ["a long text", "x".repeat(70_000)],
] as const)("%s is only there to be saved", ([, text]) => {
  expect(artifactKind(bytesOf(text))).toEqual({ kind: "bytes" });
});
