import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";
import { z } from "zod";

const ROOT = join(import.meta.dirname, "../..");
const COMMAND_MS = 120_000;
const run = promisify(execFile);

/** What CycloneDX 1.5 asks of a component, and what makes one of use: a version, and a package URL for a package. */
const HASH = z.object({
  alg: z.enum(["SHA-1", "SHA-256", "SHA-384", "SHA-512"]),
  content: z.string().regex(/^[0-9a-f]{40,128}$/),
});
const COMPONENT = z.object({
  type: z.enum(["application", "library", "container"]),
  "bom-ref": z.string().min(1),
  name: z.string().min(1),
  version: z.string().min(1),
  purl: z
    .string()
    .regex(/^pkg:(?:npm|deb\/debian)\/[^@\s]+@[^\s]+$/)
    .optional(),
  hashes: z.array(HASH).optional(),
  get components() {
    return z.array(COMPONENT).optional();
  },
});
const DOCUMENT = z.object({
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.literal("1.5"),
  version: z.int().positive(),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f-]{36}$/),
  metadata: z.object({
    timestamp: z.iso.datetime(),
    component: z.object({ name: z.literal("sandbox-kubernetes-runner") }),
  }),
  components: z.array(COMPONENT),
});
type Component = z.infer<typeof COMPONENT>;

const DEPENDENCIES = z.object({ dependencies: z.record(z.string(), z.string()) });

function flat(components: readonly Component[]): Component[] {
  return components.flatMap((component) => [component, ...flat(component.components ?? [])]);
}

function installed(name: string, version: string, status = "install ok installed"): string {
  return `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\nDescription: one\n of two lines\nVersion: ${version}\n`;
}

/** A docker archive with an image of two layers, the second of which installed and removed packages. */
async function makeArchive(folder: string): Promise<string> {
  const layers = [
    { "usr/lib/os-release": 'ID=debian\nVERSION_ID="13"\n', "var/lib/dpkg/status": installed("old", "1") },
    {
      "var/lib/dpkg/status": [
        installed("libstdc++6", "1:14.2-1+b1"),
        installed("bash", "5.2~rc1-2"),
        installed("gone", "1", "deinstall ok config-files"),
      ].join("\n"),
    },
    { "opt/sandbox/version": "5.2\n" },
  ];
  for (const [index, files] of layers.entries()) {
    const root = join(folder, `layer-${index}`);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(root, name, ".."), { recursive: true });
      await writeFile(join(root, name), text);
    }
    await run("tar", ["-cf", join(folder, `${index}.tar`), "-C", root, ...Object.keys(files)]);
  }
  const manifest = [
    {
      Config: `${"c".repeat(64)}.json`,
      RepoTags: ["registry.example/sandbox/bash:v1"],
      Layers: ["0.tar", "1.tar", "2.tar"],
    },
  ];
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
  const archive = join(folder, "bash.tar");
  await run("tar", ["-cf", archive, "-C", folder, "manifest.json", "0.tar", "1.tar", "2.tar"]);
  return archive;
}

async function listOf(archives: readonly string[]): Promise<z.infer<typeof DOCUMENT>> {
  const options = { cwd: ROOT, timeout: COMMAND_MS, maxBuffer: 64 << 20 };
  const { stdout } = await run(process.execPath, ["scripts/sbom.ts", ...archives], options);
  return DOCUMENT.parse(JSON.parse(stdout));
}

test("the list of what the service is made of has npm packages, the programs in C, and each image's packages", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sandbox-sbom-"));
  try {
    const { components } = await listOf([await makeArchive(folder)]);
    const { dependencies } = DEPENDENCIES.parse(JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")));
    for (const [name, version] of Object.entries(dependencies)) {
      const found = components.find((component) => component["bom-ref"] === `${name}@${version}`);
      expect(found, name).toMatchObject({ type: "library", hashes: [{ alg: "SHA-512" }] });
    }
    expect(components.some(({ name }) => name === "vitest")).toBe(false);
    for (const name of ["runner", "launcher"]) {
      expect(components.find((component) => component.name === name)).toMatchObject({ type: "application" });
    }
    expect(components.find(({ type }) => type === "container")).toMatchObject({
      name: "registry.example/sandbox/bash",
      version: "v1",
      hashes: [{ alg: "SHA-256", content: "c".repeat(64) }],
      components: [
        { version: "1:14.2-1+b1", purl: "pkg:deb/debian/libstdc%2B%2B6@1%3A14.2-1%2Bb1?arch=amd64&distro=debian-13" },
        { version: "5.2~rc1-2", purl: "pkg:deb/debian/bash@5.2~rc1-2?arch=amd64&distro=debian-13" },
      ],
    });
    const references = flat(components).map((component) => component["bom-ref"]);
    expect(new Set(references).size).toBe(references.length);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("an archive without packages is named, rather than listed as empty", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sandbox-sbom-"));
  try {
    const manifest = [{ Config: "c.json", RepoTags: ["a:b"], Layers: ["0.tar"] }];
    await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
    await run("tar", ["-cf", join(folder, "0.tar"), "-T", "/dev/null"]);
    const archive = join(folder, "empty.tar");
    await run("tar", ["-cf", archive, "-C", folder, "manifest.json", "0.tar"]);
    await expect(listOf([archive])).rejects.toThrow(/empty\.tar: no Debian packages/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
