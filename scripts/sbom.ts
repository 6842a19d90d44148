// node scripts/sbom.ts [ARCHIVE...] >sbom.json
//
// Writes what the service is made of, in CycloneDX 1.5: its npm packages with their hashes, the programs in C with what is
// linked into them here, and the Debian packages of each image, whose archives scripts/build-images.sh --output writes.
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";

import { z } from "zod";

import { packagesOfImage } from "./image-packages.ts";
import { ROOT } from "./test-run.ts";

const run = promisify(execFile);
const COMMAND_MS = 120_000;
const PACKAGE = z.object({ name: z.string(), version: z.string(), license: z.string() });
const LOCK = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      integrity: z.string().optional(),
      license: z.string().optional(),
      dev: z.boolean().optional(),
    }),
  ),
});

interface Component {
  type: "application" | "library" | "container";
  "bom-ref": string;
  name: string;
  version: string;
  purl?: string;
  hashes?: { alg: "SHA-256" | "SHA-512"; content: string }[];
  licenses?: { license: { name: string } }[];
  components?: Component[];
}

/**
 * The packages that serve, with those that tests use as well: `npm sbom --omit=dev` leaves the latter out. The lock file
 * has each with its hash as in https://www.w3.org/TR/SRI/.
 */
function npmComponents(): Component[] {
  const { packages } = LOCK.parse(JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")));
  const found = new Map<string, Component>();
  for (const [path, { version, integrity, license, dev }] of Object.entries(packages)) {
    if (path === "" || version === undefined || dev === true) continue;
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const sha512 = /^sha512-(\S+)/.exec(integrity ?? "")?.[1];
    found.set(`${name}@${version}`, {
      type: "library",
      "bom-ref": `${name}@${version}`,
      name,
      version,
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      ...(sha512 === undefined
        ? {}
        : { hashes: [{ alg: "SHA-512", content: Buffer.from(sha512, "base64").toString("hex") }] }),
      ...(license === undefined ? {} : { licenses: [{ license: { name: license } }] }),
    });
  }
  return [...found.values()];
}

function debianComponent(
  owner: string,
  release: string,
  { name, version, architecture }: { name: string; version: string; architecture: string },
): Component {
  const distribution = release === "" ? "" : `&distro=debian-${release}`;
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}${distribution}`;
  return { type: "library", "bom-ref": `${owner}/${purl}`, name, version, purl };
}

/** Only root may read the runner. */
function hashesOf(path: string): Pick<Component, "hashes"> {
  try {
    return { hashes: [{ alg: "SHA-256", content: createHash("sha256").update(readFileSync(path)).digest("hex") }] };
  } catch {
    return {};
  }
}

/** A program in C, with what its static build takes in of this machine's packages, where dpkg knows them. */
async function program(name: string, version: string, linked: readonly string[]): Promise<Component> {
  const format = ["--showformat", "${Package} ${Version} ${Architecture}\n"];
  const listed = await run("dpkg-query", ["--show", ...format, ...linked], { timeout: COMMAND_MS }).catch(
    () => undefined,
  );
  const components = (listed?.stdout ?? "").split("\n").flatMap((line) => {
    const [library = "", itsVersion = "", architecture = ""] = line.split(" ");
    return architecture === "" ? [] : [debianComponent(name, "", { name: library, version: itsVersion, architecture })];
  });
  return {
    type: "application",
    "bom-ref": `${name}@${version}`,
    name,
    version,
    ...hashesOf(join(ROOT, "build", name)),
    components,
  };
}

async function container(archive: string): Promise<Component> {
  const { image, sha256, release, packages } = await packagesOfImage(archive);
  const colon = image.lastIndexOf(":");
  return {
    type: "container",
    "bom-ref": image,
    name: image.slice(0, colon),
    version: image.slice(colon + 1),
    ...(sha256 === "" ? {} : { hashes: [{ alg: "SHA-256", content: sha256 }] }),
    components: packages.map((one) => debianComponent(image, release, one)),
  };
}

async function main(): Promise<void> {
  const { positionals: archives } = parseArgs({ allowPositionals: true });
  const { name, version, license } = PACKAGE.parse(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")));
  const component = {
    type: "application",
    "bom-ref": `${name}@${version}`,
    name,
    version,
    licenses: [{ license: { id: license } }],
  };
  const components = [
    ...npmComponents(),
    await program("runner", version, ["musl-dev", "zlib1g-dev"]),
    await program("launcher", version, ["musl-dev"]),
  ];
  for (const archive of archives) components.push(await container(archive));
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: `urn:uuid:${randomUUID()}`,
    version: 1,
    metadata: { timestamp: new Date().toISOString(), component },
    components,
  };
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

await main();
