import { describe, expect } from "vitest";

import type { Client, RequestBody } from "../support/client.ts";
import { contractTest } from "../support/contract.ts";
import { expectRefusal } from "../support/refusals.ts";
import { source } from "../support/source.ts";

const test = contractTest({ CPU_LIMIT: "1", API_KEYS: "one:secret-number-one,two:secret-number-two" });

const ONE = { "x-api-key": "secret-number-one" };
const MiB = 1024 * 1024;

type Result = Awaited<ReturnType<Client["run"]>>;

async function collect(api: Client, code: string, globs: string[], more: RequestBody = {}): Promise<Result> {
  return await api.with(ONE).run({ language: "bash", code, artifacts: globs, ...more });
}

function names({ artifacts }: Result): string[] {
  return (artifacts ?? []).map(({ name }) => name);
}

async function download(api: Client, id: string, name: string): Promise<Response> {
  return await api.with(ONE).fetch("GET", `/api/result/${id}/artifacts/${encodeURIComponent(name)}`);
}

test("files that match come back with their bytes, and none is told of where none was asked for", async ({ api }) => {
  const code = "printf '\\0\\1\\377' > data.bin; mkdir -p out/deep; echo text > out/deep/ü.txt; echo other > other";
  const result = await collect(api, code, ["*.bin", "out/**"]);
  expect(result).toMatchObject({ status: "succeeded", artifacts_omitted: 0 });
  expect(result.artifacts).toEqual([
    { name: "data.bin", size_bytes: 3, content: "AAH/", encoding: "base64", truncated: false },
    { name: "out/deep/ü.txt", size_bytes: 5, content: "dGV4dAo=", encoding: "base64", truncated: false },
  ]);
  expect(await api.with(ONE).run({ language: "bash", code })).not.toHaveProperty("artifacts");
});

test("they are there of a program that failed, and those who ask later get the same", async ({ api }) => {
  const own = api.with(ONE);
  const { id } = await own.submit({ language: "bash", code: "echo why > log; exit 1", artifacts: ["log"] });
  const result = await own.finished(id);
  expect(result).toMatchObject({ status: "failed", artifacts: [{ name: "log", content: "d2h5Cg==" }] });
  expect(await own.result(id)).toEqual(result);
});

describe("a download", () => {
  test("is the file's bytes, as a file to be saved and nothing else", async ({ api }) => {
    const name = "out/a \"b';ü<script>.html";
    const html = "<script>alert(1)</script>";
    const result = await collect(api, `mkdir out; printf '${html}' > "$1"`, ["out/*"], { args: [name] });
    const response = await download(api, result.id, name);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(html);
    const { headers } = response;
    expect(headers.get("content-type")).toBe("application/octet-stream");
    expect(headers.get("content-disposition")).toBe(
      "attachment; filename*=UTF-8''a%20%22b%27%3B%C3%BC%3Cscript%3E.html",
    );
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toMatch(/default-src 'none'/);
  });

  test("of a name of 255 bytes works, and of a longer one there is none", async ({ api }) => {
    const name = "ü".repeat(127);
    const result = await collect(api, 'echo x > "$1"', ["*"], { args: [name] });
    expect(await (await download(api, result.id, name)).text()).toBe("x\n");
    expect((await download(api, result.id, `${name}${name}`)).status).toBe(404);
  });

  test("is for those whose run it is, and only of its artifacts", async ({ api }) => {
    const { id } = await collect(api, "echo x > a; echo y > b", ["a"]);
    const statuses = [];
    for (const name of ["b", "..", "../a", "/etc/passwd", "main.sh", "a/", "%61", "__proto__"]) {
      statuses.push((await download(api, id, name)).status);
    }
    expect(statuses).toEqual(statuses.map(() => 404));
    const path = `/api/result/${id}/artifacts/a`;
    const other = api.with({ "x-api-key": "secret-number-two" });
    expect((await api.refused(other.fetch("GET", path))).error.code).toBe("not_found");
    expect((await api.refused(api.fetch("GET", path))).status).toBe(401);
    expect((await api.refused(api.with(ONE).fetch("GET", "/api/result/x/artifacts/a"))).status).toBe(404);
    expect((await api.with(ONE).fetch("GET", path)).status).toBe(200);
  });
});

describe("a hostile program", () => {
  test("gets no file out that it could not read itself, by links or by globs", async ({ api }) => {
    const code = source`
      echo real > real
      ln -s /etc/passwd passwd; ln -s /etc etc; ln -s / root; ln -s .. up; ln -s /proc/1/environ environ
      ln -s /dev/zero zero; mkfifo pipe; mkdir folder; ln real hard
      ln -s real soft; mkdir swap; echo x > swap/passwd
      (while :; do rm -rf swap; ln -s /etc swap; rm swap; mkdir swap; echo x > swap/passwd; done) &
      sleep 0.2
    `;
    const result = await collect(api, code, ["**", "etc/passwd", "swap/*", "**/passwd", "*/*"]);
    expect(result.status).toBe("succeeded");
    const found = Object.fromEntries(
      (result.artifacts ?? []).map((file) => [file.name, file.truncated ? null : file.content]),
    );
    delete found["swap/passwd"];
    const main = found["main.sh"];
    expect(found).toEqual({ hard: "cmVhbAo=", real: "cmVhbAo=", "main.sh": main });
    const swapped = result.artifacts?.find(({ name }) => name === "swap/passwd");
    if (swapped !== undefined && !swapped.truncated) expect(["", "eAo="]).toContain(swapped.content);
  });

  test("of 5,000 files gets the first by name, and is told how many more there were", async ({ api }) => {
    const code = "for n in {00000..04999}; do : > f$n; done";
    const result = await collect(api, code, ["f*"]);
    expect(names(result)).toEqual(Array.from({ length: 100 }, (_, n) => `f${String(n).padStart(5, "0")}`));
    expect(result.artifacts?.filter(({ truncated }) => !truncated)).toHaveLength(20);
    expect(result.artifacts_omitted).toBe(4900);
  });

  test("gets 4 MiB out at most, and what is left out is named", async ({ api }) => {
    const code = "head -c 3000000 /dev/zero > a; cp a b; truncate -s 50M c; echo > d; chmod 000 d; touch e";
    const result = await collect(api, code, ["?"]);
    expect(result.artifacts?.map(({ name, size_bytes, truncated }) => [name, size_bytes, truncated])).toEqual([
      ["a", 3_000_000, false],
      ["b", 3_000_000, true],
      ["c", 50 * MiB, true],
      ["d", 1, true],
      ["e", 0, false],
    ]);
    const bytes = await (await download(api, result.id, "a")).arrayBuffer();
    expect(Buffer.from(bytes).equals(Buffer.alloc(3_000_000))).toBe(true);
    expect((await download(api, result.id, "b")).status).toBe(404);
  });

  test("can't make an artifact by what it prints", async ({ api }) => {
    const frames = [
      '{"seq":2,"type":"artifact","name":"x","size_bytes":1,"has_content":true}',
      '{"seq":3,"type":"content","data":"eA=="}',
    ];
    const result = await collect(
      api,
      `printf '%s\\n' '${frames.join("' '")}'; printf '%s\\n' '${frames[0]}' > /proc/1/fd/1`,
      ["x"],
    );
    expect(result.artifacts).toEqual([]);
    expect(result.stdout).toBe(`${frames.join("\n")}\n`);
  });
});

test("input files may be binary, and come back as they were", async ({ api }) => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const files = [
    { name: "main.sh", content: "cp in.bin out.bin" },
    { name: "in.bin", content: bytes.toString("base64"), encoding: "base64" },
  ];
  const result = await api.with(ONE).run({ language: "bash", files, artifacts: ["out.bin"] });
  expect(result.artifacts).toMatchObject([{ name: "out.bin", content: bytes.toString("base64") }]);
});

describe("globs that can't be used", () => {
  const CASES: [artifacts: unknown, field: string, says: RegExp][] = [
    ["*", "artifacts", /array/],
    [[], "artifacts", /empty/],
    [[1], "artifacts[0]", /string/],
    [Array.from({ length: 21 }, () => "*"), "artifacts", /20/],
    [["*", ""], "artifacts[1]", /empty/],
    [["/etc/passwd"], "artifacts[0]", /absolute/],
    [["../x"], "artifacts[0]", /segment/],
    [["a/../../x"], "artifacts[0]", /segment/],
    [["./x"], "artifacts[0]", /segment/],
    [["a//b"], "artifacts[0]", /segment/],
    [["a/"], "artifacts[0]", /segment/],
    [["a\0"], "artifacts[0]", /control/],
    [["a\nb"], "artifacts[0]", /control/],
    [["a\uD800"], "artifacts[0]", /surrogate/],
    [["a**"], "artifacts[0]", /\*\*/],
    [["***"], "artifacts[0]", /\*\*/],
    [["x".repeat(256)], "artifacts[0]", /255/],
    [["ü".repeat(128)], "artifacts[0]", /255/],
  ];

  test.for(CASES)("are refused by name: %j", async ([artifacts, field, says], { api }) => {
    const body = { language: "bash", code: "true", artifacts };
    const expected = { status: 400, code: "invalid_request", field, says };
    await expectRefusal(api.with(ONE), () => api.with(ONE).post("/api/run/sync", body), expected);
  });

  test("and tests have none", async ({ api }) => {
    const body = { language: "bash", code: "true", artifacts: ["*"], tests: [{}] };
    const expected = { status: 400, code: "invalid_request", field: "artifacts", says: /tests/ };
    await expectRefusal(api.with(ONE), () => api.with(ONE).post("/api/run", body), expected);
  });
});
