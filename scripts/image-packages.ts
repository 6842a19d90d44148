import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { z } from "zod";

const run = promisify(execFile);
const TAR_MS = 300_000;
const MAX_FILE_BYTES = 64 << 20;

/** What is read of a docker archive's list of images: https://github.com/moby/docker-image-spec/blob/main/spec.md */
const MANIFEST = z.tuple([
  z.object({ Config: z.string(), RepoTags: z.array(z.string()).min(1), Layers: z.array(z.string()).min(1) }),
]);

/** A Debian package that an image has. */
export interface DebianPackage {
  name: string;
  version: string;
  architecture: string;
}

export interface ImagePackages {
  image: string;
  /** The hash of the image's configuration, which is its id. */
  sha256: string;
  /** Of Debian, as in `13`. */
  release: string;
  packages: DebianPackage[];
}

async function fileOf(archive: string, name: string): Promise<string> {
  const { stdout } = await run("tar", ["-xOf", archive, name], { timeout: TAR_MS, maxBuffer: MAX_FILE_BYTES });
  return stdout;
}

/** The file as the topmost of the layers has it; empty where none has. Archives name files with or without `./`. */
async function fileOfImage(archive: string, layers: readonly string[], name: string): Promise<string> {
  const script = 'tar -xOf "$1" "$2" | tar -xO -f - "$3" "./$3" 2>/dev/null || :';
  for (const layer of layers.toReversed()) {
    const words = ["-c", script, "sh", archive, layer, name];
    const { stdout } = await run("sh", words, { timeout: TAR_MS, maxBuffer: MAX_FILE_BYTES });
    if (stdout !== "") return stdout;
  }
  return "";
}

/** The packages that dpkg's status file, as of deb822(5), says are installed. */
export function parseStatus(status: string): DebianPackage[] {
  return status.split("\n\n").flatMap((paragraph) => {
    const fields = new Map(
      Array.from(paragraph.matchAll(/^([A-Za-z-]+): (.*)$/gm), ([, field = "", value = ""]) => [field, value]),
    );
    const [name, version, architecture] = ["Package", "Version", "Architecture"].map((field) => fields.get(field));
    if (fields.get("Status") !== "install ok installed") return [];
    if (name === undefined || version === undefined || architecture === undefined) return [];
    return [{ name, version, architecture }];
  });
}

/** What `archive`, a docker archive with one image as `scripts/build-images.sh --output` writes it, has of Debian. */
export async function packagesOfImage(archive: string): Promise<ImagePackages> {
  const [{ Config, RepoTags, Layers }] = MANIFEST.parse(JSON.parse(await fileOf(archive, "manifest.json")));
  const packages = parseStatus(await fileOfImage(archive, Layers, "var/lib/dpkg/status"));
  if (packages.length === 0) throw new Error(`${archive}: no Debian packages were found in its layers`);
  const osRelease = await fileOfImage(archive, Layers, "usr/lib/os-release");
  return {
    image: RepoTags[0] ?? "",
    sha256: /[0-9a-f]{64}/.exec(Config)?.[0] ?? "",
    release: /^VERSION_ID="?([\d.]+)/m.exec(osRelease)?.[1] ?? "",
    packages,
  };
}
