import { execFile } from "node:child_process";

import { z } from "zod";

const AUDIT_MS = 120_000;
const REPORT = z.object({
  vulnerabilities: z.record(z.string(), z.object({ severity: z.string(), range: z.string() })),
});
const FAILURE = z.object({ message: z.string() });

/** What the registry knows about the packages that serve: those with a vulnerability, or why it could not be asked. */
export type Audit = { vulnerable: string[] } | { unknown: string };

/** Asks the registry that npm is configured with about the lock file of `folder`. */
export async function auditPackages(folder: string, environment: NodeJS.ProcessEnv = process.env): Promise<Audit> {
  const options = { cwd: folder, env: environment, timeout: AUDIT_MS, maxBuffer: 64 << 20 };
  const words = ["audit", "--omit=dev", "--package-lock-only", "--json", "--fetch-retries=1"];
  const { promise, resolve } = Promise.withResolvers<{ text: string; error: Error | null }>();
  execFile("npm", words, options, (error, text) => resolve({ text, error }));
  const { text, error } = await promise;
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return { unknown: error?.message ?? "npm audit said nothing" };
  }
  const report = REPORT.safeParse(answer);
  if (report.success) {
    const found = Object.entries(report.data.vulnerabilities);
    return { vulnerable: found.map(([name, { severity, range }]) => `${name} ${range}: ${severity}`) };
  }
  return { unknown: FAILURE.safeParse(answer).data?.message ?? "npm audit failed" };
}
