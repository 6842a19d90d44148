import { defineConfig } from "vitest/config";

/** Where a run is a Pod, everything takes seconds. */
const onCluster = process.env["CONTRACT_BACKEND"] === "kubernetes";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: onCluster ? [] : ["tests/cluster/**"],
    // Files that start servers and sandboxes keep more than one core busy each.
    maxWorkers: 2,
    testTimeout: onCluster ? 240_000 : 60_000,
    hookTimeout: 120_000,
    // Waiting in vain may be the fault of a busy machine; a wrong result never is, and fails the first time.
    retry: { count: 1, condition: /took longer than \d+ ms|not within \d+ ms|[Tt]imed out|Timeout \d+ms exceeded/ },
    expect: { poll: { timeout: 20_000 } },
    // What waits for a node costs this process nothing.
    maxConcurrency: onCluster ? 8 : 5,
  },
});
