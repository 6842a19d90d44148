import { expect, test } from "vitest";

import { serveIn, temporaryNamespace } from "../support/cluster.ts";
import { source } from "../support/source.ts";

test("a picture that matplotlib draws in its language's image comes back", async () => {
  await using namespace = await temporaryNamespace();
  await using replica = await serveIn(namespace, { CPU_LIMIT: "1" });
  const code = source`
    import matplotlib.pyplot as plot
    plot.plot([1, 4, 9, 16])
    plot.savefig("squares.png")
  `;
  const limits = { cpu_ms: 60_000, wall_ms: 60_000 };
  const result = await replica.api.run({ language: "python-data", code, artifacts: ["*.png"], limits });
  expect(result, result.stderr).toMatchObject({ status: "succeeded", artifacts: [{ name: "squares.png" }] });
  const png = await replica.api.fetch("GET", `/api/result/${result.id}/artifacts/squares.png`);
  const bytes = Buffer.from(await png.arrayBuffer());
  expect(bytes.subarray(0, 8).toString("latin1")).toBe("\u0089PNG\r\n\u001A\n");
  expect(bytes.length).toBeGreaterThan(1000);
});
