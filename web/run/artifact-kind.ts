/** What a file can be shown as: by its bytes, whatever it is called. */
export type ArtifactKind = { kind: "image"; type: string } | { kind: "text"; text: string } | { kind: "bytes" };

/** Longer texts are for downloading. */
const MAX_TEXT_BYTES = 64 * 1024;

function startsWith(bytes: Uint8Array, prefix: string, at = 0): boolean {
  return Array.from(prefix).every((character, index) => bytes[at + index] === character.charCodeAt(0));
}

/** The type of a raster image, which can hold no script: https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern */
function imageType(bytes: Uint8Array): string | undefined {
  if (startsWith(bytes, "\u0089PNG\r\n\u001a\n")) return "image/png";
  if (startsWith(bytes, "\u00ff\u00d8\u00ff")) return "image/jpeg";
  if (startsWith(bytes, "GIF87a") || startsWith(bytes, "GIF89a")) return "image/gif";
  return startsWith(bytes, "RIFF") && startsWith(bytes, "WEBPVP", 8) ? "image/webp" : undefined;
}

export function artifactKind(bytes: Uint8Array): ArtifactKind {
  const type = imageType(bytes);
  if (type !== undefined) return { kind: "image", type };
  if (bytes.length > MAX_TEXT_BYTES || bytes.includes(0)) return { kind: "bytes" };
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { kind: "bytes" };
  }
}
