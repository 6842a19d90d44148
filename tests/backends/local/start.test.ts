import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { describe, expect, test } from "vitest";

import { HEALTH } from "../../support/answers.ts";
import { Client } from "../../support/client.ts";
import { startRefused, startServer, temporaryFolder } from "../../support/server.ts";
import { eventually } from "../../support/time.ts";

test("it listens within seconds, also when it was killed before", async () => {
  await using folder = await temporaryFolder();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const asked = performance.now();
    const server = await startServer({ DATA_DIR: folder.path });
    expect(performance.now() - asked).toBeLessThan(10_000);
    await server.kill();
  }
});

test("a second server on the same data folder is refused in one line, and the first goes on", async () => {
  await using folder = await temporaryFolder();
  await using server = await startServer({ DATA_DIR: folder.path });
  const { code, output } = await startRefused({ DATA_DIR: folder.path });
  expect(code).toBe(1);
  expect(output.trim().split("\n")).toHaveLength(1);
  expect(output).toMatch(/in use by another server.*DATA_DIR/);
  expect(await new Client(server.url).run({ language: "bash", code: "echo on" })).toMatchObject({ stdout: "on\n" });
});

test("two servers with data folders of their own don't disturb each other", async () => {
  await using folders = new AsyncDisposableStack();
  const servers = await Promise.all(
    [1, 2].map(async () => {
      const folder = folders.use(await temporaryFolder());
      return folders.use(await startServer({ DATA_DIR: folder.path }));
    }),
  );
  const [first, second] = servers.map(({ url }) => new Client(url));
  const run = await first?.submit({ language: "bash", code: "sleep 0.5; echo first" });
  expect(await second?.run({ language: "bash", code: "echo second" })).toMatchObject({ stdout: "second\n" });
  expect((await second?.refused(second.fetch("GET", `/api/result/${run?.id}`)))?.status).toBe(404);
  expect(await first?.finished(run?.id ?? "")).toMatchObject({ stdout: "first\n" });
});

test("a taken port, and a data folder that can't be one, are refused in one line", async () => {
  await using folder = await temporaryFolder();
  await using server = await startServer({ DATA_DIR: join(folder.path, "first") });
  const { port } = new URL(server.url);
  const taken = await startRefused({ DATA_DIR: join(folder.path, "second"), PORT: port });
  expect(taken).toMatchObject({ code: 1, output: expect.stringMatching(new RegExp(`PORT=${port}`)) });
  expect(taken.output.trim().split("\n")).toHaveLength(1);

  const lateVersion = join(folder.path, "later");
  const notOurs = join(folder.path, "other");
  await Promise.all([lateVersion, notOurs].map((path) => mkdir(path)));
  await writeFile(join(notOurs, "runs.db"), "something else, which is longer than nothing");
  using database = new DatabaseSync(join(lateVersion, "runs.db"));
  database.exec("PRAGMA user_version = 99");
  database.close();
  await writeFile(join(folder.path, "file"), "");
  for (const [path, reason] of [
    [join(folder.path, "file"), /exists|not a directory/],
    [join(folder.path, "file/below"), /not a directory/],
    [join(folder.path, "long".repeat(30)), /EINVAL|ENAMETOOLONG|too long/],
    [lateVersion, /version/],
    [notOurs, /not a database/],
  ] as const) {
    const { code, output } = await startRefused({ DATA_DIR: path });
    expect({ path, code, lines: output.trim().split("\n").length }).toEqual({ path, code: 1, lines: 1 });
    expect(output).toContain(path);
    expect(output).toMatch(/DATA_DIR/);
    expect(output).toMatch(reason);
  }
});

test.for([
  [1, ["grading"]],
  [2, []],
] as const)("the runs of version %i of the store are still there", async ([version, more]) => {
  await using folder = await temporaryFolder();
  const { id } = await (async () => {
    await using server = await startServer({ DATA_DIR: folder.path });
    const api = new Client(server.url);
    const run = await api.submit({ language: "bash", code: "echo kept" });
    return await api.finished(run.id);
  })();
  using database = new DatabaseSync(join(folder.path, "runs.db"));
  database.exec("DROP INDEX runs_owing");
  for (const column of ["callback_url", "callback_tries", ...more]) {
    database.exec(`ALTER TABLE runs DROP COLUMN ${column}`);
  }
  database.exec(`PRAGMA user_version = ${version}`);
  database.close();
  await using server = await startServer({ DATA_DIR: folder.path });
  const api = new Client(server.url);
  expect(await api.result(id)).toMatchObject({ stdout: "kept\n" });
  const graded = await api.run({ language: "bash", code: "cat", tests: [{ stdin: "1", expected_stdout: "1" }] });
  expect(graded).toMatchObject({ verdict: "accepted" });
});

test("a data folder that was there keeps its mode, but for what sandboxes need to pass through", async () => {
  await using folder = await temporaryFolder();
  for (const [found, left] of [
    [0o1777, 0o1777],
    [0o700, 0o711],
  ] as const) {
    await chmod(folder.path, found);
    await using server = await startServer({ DATA_DIR: folder.path });
    expect(await new Client(server.url).run({ language: "bash", code: "echo on" })).toMatchObject({ stdout: "on\n" });
    expect(((await stat(folder.path)).mode & 0o7777).toString(8)).toBe(left.toString(8));
  }
});

test("results are kept for RESULT_TTL_SECONDS and then unknown, and their keys are free", async () => {
  await using folder = await temporaryFolder();
  await using server = await startServer({ DATA_DIR: folder.path, RESULT_TTL_SECONDS: "1" });
  const api = new Client(server.url);
  const request = { language: "bash", code: "cat /proc/sys/kernel/random/uuid" };
  const headers = { "idempotency-key": "short-lived" };
  const { id, stdout } = await api.run(request, { headers });
  expect(await api.result(id)).toMatchObject({ id });
  await eventually(20_000, "the result's expiry", async () => {
    const response = await api.fetch("GET", `/api/result/${id}`);
    await response.body?.cancel();
    return response.status === 404 || undefined;
  });
  const again = await api.run(request, { headers });
  expect(again.status).toBe("succeeded");
  expect(again.stdout).not.toBe(stdout);
});

/** Runs a command of the shell in a mount namespace of its own before it becomes the server. */
function after(command: string): string[] {
  return ["unshare", "--mount", "sh", "-c", `set -e\n${command}\nexec "$@"`, "sh"];
}

/** In a mount or network namespace of its own the server is started by root only. */
describe.runIf(process.getuid?.() === 0)("on a machine that lacks something", () => {
  test("without keys every address is served when that is asked for by name", async () => {
    await using folder = await temporaryFolder();
    const settings = { DATA_DIR: folder.path, HOST: "0.0.0.0", ALLOW_ANONYMOUS: "true" };
    // Its network namespace has no address that anyone could reach.
    await using server = await startServer(settings, {
      through: ["unshare", "--net", ...after("ip link set lo up").slice(2)],
    });
    expect(server.output).toMatch(/listening on/);
  });

  test("a data folder that can't be written is refused in one line", async () => {
    await using folder = await temporaryFolder();
    const { code, output } = await startRefused(
      { DATA_DIR: folder.path },
      { through: after(`mount --bind ${folder.path} ${folder.path}; mount -o remount,bind,ro ${folder.path}`) },
    );
    expect({ code, lines: output.trim().split("\n") }).toEqual({
      code: 1,
      lines: [expect.stringMatching(/DATA_DIR.*(read-?only|unable to open)/)],
    });
  });

  test("without privileges, and a runner that another user has built, it says what isn't enforced and runs programs", async () => {
    await using folder = await temporaryFolder();
    const repository = join(folder.path, "repository");
    const data = join(folder.path, "data");
    // The checkout itself may lie where no other user can reach it.
    const through = after(
      `mkdir ${repository}; mount --bind . ${repository}; cd ${repository}; mkdir ${data}; chown 12345:12345 ${data}
       node=$1; case $node in "$OLDPWD"/*) node=.\${node#"$OLDPWD"};; esac; shift
       set -- setpriv --reuid 12345 --regid 12345 --clear-groups "$node" "$@"`,
    );
    await using server = await startServer({ DATA_DIR: data, CPU_LIMIT: "1" }, { through });
    const api = new Client(server.url);
    const { status, stdout } = await api.run({ language: "bash", code: "cat /proc/self/uid_map; cat /proc/1/environ" });
    expect({ status, ids: stdout.trim().split(/\s+/) }).toEqual({ status: "failed", ids: ["1000", "12345", "1"] });
    expect(server.output).toMatch(/degraded.*memory_bytes/);
  });

  test("where a sandbox can't be made it starts, says why, and tells each run why it is lost", async () => {
    await using folder = await temporaryFolder();
    const blank = join(folder.path, "blank");
    await writeFile(blank, "");
    // Where a part of /proc is hidden, as in many containers, the kernel mounts no other in a user namespace.
    const through = after(`mount --bind ${blank} /proc/version`);
    await using server = await startServer({ DATA_DIR: join(folder.path, "data") }, { through });
    const api = new Client(server.url);
    const health = await eventually(20_000, "the verdict", async () => {
      const response = await api.fetch("GET", "/readyz");
      const body = HEALTH.parse(await response.json());
      return response.status === 503 ? body : undefined;
    });
    const reason = /mount \/proc: Operation not permitted/;
    expect(health.problems.join()).toMatch(reason);
    const response = await api.post("/api/run/sync", { language: "python", code: "print(1)" });
    const text = await response.text();
    if (response.status === 503)
      expect(JSON.parse(text)).toMatchObject({ error: { message: expect.stringMatching(reason) } });
    else expect(JSON.parse(text)).toMatchObject({ status: "lost", reason: expect.stringMatching(reason) });
    expect((await api.fetch("GET", "/healthz")).status).toBe(200);
  });

  test("without a toolchain its language is unavailable, with the reason and the remedy, and the others work", async () => {
    await using folder = await temporaryFolder();
    const blank = join(folder.path, "blank");
    await writeFile(blank, "");
    const through = after(
      `mount --bind ${blank} "$(readlink -f /usr/bin/javac)"; mount --bind ${blank} "$(readlink -f /usr/bin/java)"`,
    );
    await using server = await startServer({ DATA_DIR: join(folder.path, "data") }, { through });
    const api = new Client(server.url);
    const java = (await api.languages()).find(({ name }) => name === "java");
    expect(java).toMatchObject({
      available: false,
      version: null,
      reason: expect.stringMatching(/default-jdk-headless/),
    });
    const { status, error } = await api.refused(api.post("/api/run/sync", { language: "java", code: "x" }));
    expect({ status, code: error.code }).toEqual({ status: 503, code: "language_unavailable" });
    expect(error.message).toMatch(/scripts\/setup.*default-jdk-headless/);
    expect(await api.run({ language: "python", code: "print(1)" })).toMatchObject({ stdout: "1\n" });
  });

  test("without writable cgroups it says what isn't enforced, and enforces the rest", async () => {
    await using folder = await temporaryFolder();
    const through = after(
      "for m in $(awk '$5 ~ \"^/sys/fs/cgroup\" { print $5 }' /proc/self/mountinfo); do mount -o remount,bind,ro $m; done",
    );
    await using server = await startServer({ DATA_DIR: folder.path, CPU_LIMIT: "1" }, { through });
    const api = new Client(server.url);
    const response = await api.fetch("GET", "/readyz");
    const health = HEALTH.parse(await response.json());
    expect({ http: response.status, status: health.status }).toEqual({ http: 200, status: "degraded" });
    for (const limit of [/memory_bytes/, /cpu_millicores/, /processes/]) expect(health.problems.join()).toMatch(limit);
    expect(server.output, "it says so at its start").toMatch(/memory_bytes/);

    const hello = await api.run({ language: "python", code: "print('hello')" });
    expect(hello).toMatchObject({ status: "succeeded", stdout: "hello\n", run: { cpu_ms: null } });
    expect(hello.run?.memory_bytes, "of the largest process").toBeGreaterThan(1 << 20);
    const bash = (code: string, limits: Record<string, number>) => api.run({ language: "bash", code, limits });
    expect(await bash("sleep 60", { wall_ms: 300 })).toMatchObject({ status: "time_limit" });
    expect(await bash("yes", { output_bytes: 1000 })).toMatchObject({ status: "output_limit" });
    expect(await bash("while :; do :; done", { cpu_ms: 1000, wall_ms: 20_000 })).toMatchObject({ status: "cpu_limit" });
    expect(await bash("head -c 2M /dev/zero > /tmp/x; stat -c %s /tmp/x", { work_bytes: 1 << 20 })).toMatchObject({
      stdout: "1048576\n",
    });
    const bomb = await bash("for i in {1..50}; do sleep 60 & done 2>/dev/null; jobs -p | wc -l", {
      processes: 10,
      wall_ms: 1500,
    });
    expect(Number(bomb.stdout || "0")).toBeLessThanOrEqual(10);
    expect(await api.run({ language: "bash", code: "echo next" })).toMatchObject({ stdout: "next\n" });
  });
});

test("a data folder is made where there is none", async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "a"));
  await using server = await startServer({ DATA_DIR: join(folder.path, "a/b/c") });
  expect(await new Client(server.url).run({ language: "bash", code: "echo on" })).toMatchObject({ stdout: "on\n" });
});
