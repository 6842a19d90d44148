import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

import { expect, test } from "vitest";

import { Client } from "../../support/client.ts";
import type { RequestBody } from "../../support/client.ts";
import { statFieldsOf } from "../../support/machine.ts";
import { startServer, temporaryFolder } from "../../support/server.ts";
import type { Server } from "../../support/server.ts";
import { eventually } from "../../support/time.ts";

const LANGUAGES = ["python", "nodejs", "typescript", "bash"];

async function start(folder: string, settings: Record<string, string>): Promise<{ server: Server; api: Client }> {
  const server = await startServer({ DATA_DIR: folder, CPU_LIMIT: "1", ...settings });
  return { server, api: new Client(server.url) };
}

/** Waits until so many interpreters of each language wait for a program. */
async function waiting(api: Client, count: number): Promise<void> {
  await eventually(60_000, `${count} interpreters of each language`, async () => {
    const metrics = await api.metrics();
    const counts = LANGUAGES.map((language) => metrics.sum("sandbox_ahead_waiting", { language }));
    return counts.every((each) => each === count) ? true : undefined;
  });
}

async function claims(api: Client, result: "hit" | "miss"): Promise<number> {
  return (await api.metrics()).sum("sandbox_ahead_claims_total", { result });
}

const PROGRAMS: RequestBody[] = [
  {
    language: "python",
    code: `import inspect, os, sys
def double(x):
    return 2 * x  # twice
print(__file__, __name__, __doc__, sys.argv, sys.path[0], sorted(os.listdir()), sys.stdin.read())
print(inspect.getsource(double), os.stat(__file__).st_size, open(__file__).read().count("\\n"))
sys.exit(7)`,
    stdin: "in",
  },
  { language: "python", code: "def f():\n    return 1 / 0\nf()" },
  { language: "python", code: "print(1)\nprint(2" },
  {
    language: "python",
    code: `import os, subprocess, sys
print(sorted(os.environ.items()), list(globals()), sorted(sys.modules), sys.flags, sys.path)
import gc
print(gc.isenabled(), gc.get_threshold(), gc.garbage, gc.callbacks, vars(sys.modules["__main__"]) is globals())
print(subprocess.run([sys.executable, "-c", "import os; print(dict(os.environ))"], capture_output=True, text=True))`,
  },
  {
    language: "python",
    code: `import atexit, builtins, os, sys, threading, weakref
class Said:
    count: int = 0
    def __init__(self, name):
        self.name = name
    def __del__(self, write=os.write):
        write(1, f"end of {self.name}\\n".encode())
def three():
    kept = Said("three")
    try:
        yield kept
    finally:
        print("closed", flush=True)
one = Said("one")
two: Said = Said("two")
two.itself = two
running = three()
next(running)
sys.kept = Said("four")
sys.stdout.kept = Said("five")
builtins.kept = Said("six")
os.kept = Said("seven")
weakref.finalize(one, print, "finalized", flush=True)
atexit.register(print, "at exit", flush=True)
threading.Thread(target=print, args=("thread",), kwargs={"flush": True}).start()`,
  },
  { language: "python", code: "\ufeffprint('ü', len('\u{1f600}'))" },
  { language: "python", code: "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)" },
  { language: "python", code: `print(${JSON.stringify("x".repeat(60_000))})` },
  {
    language: "python",
    files: [
      { name: "main.py", content: "from pack.part import name\nimport beside\nprint(name, beside.__file__)" },
      { name: "pack/part.py", content: "name = __name__" },
      { name: "beside.py", content: "" },
      { name: ".new-0", content: "kept" },
    ],
  },
  {
    language: "nodejs",
    code: `console.log(require.main === module, __filename, process.argv, process.execArgv, module.paths[0]);
console.log(require("fs").readdirSync("."), require("fs").readFileSync(0, "utf8"));
process.exitCode = 9;`,
    stdin: "in",
  },
  { language: "nodejs", code: "function f() {\n  throw new Error('no');\n}\nf();" },
  { language: "nodejs", code: "let = ;" },
  { language: "nodejs", code: "import fs from 'node:fs';\nconsole.log(import.meta.url, fs.existsSync('main.js'));" },
  {
    language: "nodejs",
    files: [
      { name: "main.js", content: "console.log(require('./beside').name, require('./data.json'));" },
      { name: "beside.js", content: "exports.name = module.id;" },
      { name: "data.json", content: "[1]" },
    ],
  },
  {
    language: "typescript",
    code: "enum Side { Left = 3 }\nconst side: Side = Side.Left;\nconsole.log(side, import.meta.url);\nexport {};",
  },
  { language: "typescript", code: "const n: number = 1;\n\nthrow new Error(`at ${n}`);" },
  { language: "typescript", code: "const n: = 1;" },
  {
    language: "bash",
    code: `echo "$0 $# $- $$ $BASHPID $PPID $SHLVL $_ $LINENO \${BASH_SOURCE[*]} \${FUNCNAME[*]} \${BASH_ENV-none} $BASH_COMMAND"
# A second may begin between the two, and before SECONDS is read.
echo $((($(date +%s) - EPOCHSECONDS) / 2)) $((SECONDS / 2)); times | head -n 1; shopt; set -o; umask; trap
read -r line; echo "read $line"; [ -f "$0" ] && wc -lc <"$0"; ls -lA --time-style=+; ls /proc/self/fd
exit 7`,
    stdin: "in",
  },
  {
    language: "bash",
    code: "declare -p | grep -vE '(PIPESTATUS|SECONDS|BASHPID|EPOCH|RANDOM|BASH_ARG)'; export; alias; declare -F; hash",
  },
  { language: "bash", code: "set -euo pipefail\nf() {\n  caller\n  false\n}\nf" },
  { language: "bash", code: "echo one\nif then" },
  { language: "bash", code: "echo $'\\xff'; kill -TERM $$" },
  { language: "bash", code: `\ufeffecho 1` },
  { language: "bash", code: `echo "${"x".repeat(200_000)}" | wc -c` },
  {
    language: "bash",
    files: [
      { name: "main.sh", content: "#!/bin/bash -e\n. ./beside.sh\n. folder/deep.sh a b\necho $?" },
      { name: "beside.sh", content: "echo ${BASH_SOURCE[*]} $LINENO" },
      { name: "folder/deep.sh", content: "echo $1 $2; return 3" },
    ],
  },
];

/** What a program can see of limits that its interpreter was started without. */
const LIMITED: RequestBody[] = [
  {
    language: "python",
    code: `import os, resource, shutil
for name in ("NOFILE", "FSIZE", "CORE", "MEMLOCK", "STACK"):
    print(name, resource.getrlimit(getattr(resource, "RLIMIT_" + name)))
for folder in ("/work", "/tmp", "/dev/shm"):
    figures = os.statvfs(folder)
    print(folder, figures.f_blocks * figures.f_frsize, figures.f_files)
print(open("/proc/self/status").read().partition("CapInh")[2].partition("Cpus_allowed")[0])`,
    limits: { open_files: 32, file_bytes: 4096, work_bytes: 1 << 20, work_inodes: 100 },
  },
  { language: "python", code: "while True: pass", limits: { cpu_ms: 200, wall_ms: 20_000 } },
  { language: "python", code: "import time\ntime.sleep(100)", limits: { wall_ms: 300 } },
  { language: "python", code: "x = bytearray(200 << 20)", limits: { memory_bytes: 64 << 20 } },
  { language: "nodejs", code: "require('fs').writeFileSync('f', 'x'.repeat(9000))", limits: { file_bytes: 4096 } },
];

function comparable(result: Awaited<ReturnType<Client["run"]>>) {
  const { status, stdout, stderr, exit_code: exitCode, run } = result;
  return { status, stdout, stderr, exitCode, signal: run?.signal, limit: run?.limit };
}

test("a program that was waited for does what it does when its interpreter is started with it", async () => {
  await using folders = new AsyncDisposableStack();
  const [first, second] = [folders.use(await temporaryFolder()), folders.use(await temporaryFolder())];
  const { server: warm, api } = await start(first.path, { WARM_MIN: "1", WARM_MAX: "1" });
  folders.use(warm);
  const { server: cold, api: plain } = await start(second.path, { WARM_MAX: "0" });
  folders.use(cold);
  const programs = [...PROGRAMS, ...LIMITED];
  for (const program of programs) {
    await waiting(api, 1);
    const expected = comparable(await plain.run(program));
    expect(comparable(await api.run(program)), JSON.stringify(program)).toEqual(expected);
  }
  expect(await claims(api, "hit")).toBe(programs.length);
  expect(await claims(plain, "hit")).toBe(0);
}, 300_000);

const COMPILED: RequestBody[] = [
  {
    language: "java",
    code: `import java.util.*;
public class Main {
  record Pair(int a, String b) {}
  public static void main(String[] args) throws Exception {
    System.out.println(new Pair(1, new Scanner(System.in).next()) + Arrays.toString(args) + System.getenv("NAME"));
    System.out.println(Arrays.toString(new java.io.File(".").list()) + Main.class.getResource("Main.class"));
    if (args.length == 1) throw new IllegalStateException("at " + args[0]);
    System.exit(7);
  }
}`,
    stdin: "in",
    args: ["one"],
    env: { NAME: "value" },
  },
  { language: "java", code: "public class Main {\n  int x = y;\n  void f() { g(); }\n}" },
  {
    language: "java",
    code: "import java.util.*;\nclass Main { public static void main(String[] a) { List l = new ArrayList(); l.add(1); } }",
  },
  { language: "java", code: "package pack; public class Other {}" },
  {
    language: "java",
    code: 'public class Main { public static void main(String[] a) { System.out.print("t"); } }',
    tests: [{ stdin: "", expected_stdout: "t" }, { expected_stdout: "u" }],
  },
  {
    language: "java",
    files: [
      { name: "Main.java", content: "public class Main { public static void main(String[] a) { pack.Part.say(); } }" },
      {
        name: "pack/Part.java",
        content: 'package pack; public class Part { public static void say() { System.out.println("hello"); } }',
      },
    ],
  },
];

test("a compiler waits once its language was used, and makes of a program what it makes when it is started with it", async () => {
  await using folders = new AsyncDisposableStack();
  const [first, second] = [folders.use(await temporaryFolder()), folders.use(await temporaryFolder())];
  const settings = { COMPILE_CACHE_BYTES: "0", WARM_MAX: "1" };
  const { server: warm, api } = await start(first.path, settings);
  folders.use(warm);
  const { server: cold, api: plain } = await start(second.path, { ...settings, WARM_MAX: "0" });
  folders.use(cold);
  const count = async (): Promise<number> => (await api.metrics()).sum("sandbox_ahead_waiting", { language: "java" });
  expect(await count()).toBe(0);
  await api.run({ language: "java", code: "class Main { public static void main(String[] a) { } }" });
  for (const program of COMPILED) {
    await eventually(60_000, "a compiler", async () => ((await count()) === 1 ? true : undefined));
    const [expected, result] = [await plain.run(program), await api.run(program)];
    expect(comparable(result), JSON.stringify(program)).toEqual(comparable(expected));
    expect(result.compile?.stderr).toEqual(expected.compile?.stderr);
    expect(result.verdict).toBe(expected.verdict);
  }
  // All but the one of which the compiler's words are others, of two files.
  expect(await claims(api, "hit")).toBe(COMPILED.length - 1);
}, 240_000);

test("programs that want something else of their interpreter get it, and one that none waits for is not kept waiting", async () => {
  await using folder = await temporaryFolder();
  const { server, api } = await start(folder.path, { WARM_MIN: "1", WARM_MAX: "1" });
  await using _ = server;
  await waiting(api, 1);
  const code = "import os, sys; print(sys.argv[1:], os.environ.get('A'))";
  expect(await api.run({ language: "python", code, args: ["x"] })).toMatchObject({ stdout: "['x'] None\n" });
  expect(await api.run({ language: "python", code, env: { A: "b" } })).toMatchObject({ stdout: "[] b\n" });
  const files = [{ name: "other.py", content: "print(__file__)" }];
  expect(await api.run({ language: "python", files })).toMatchObject({ stdout: "/work/other.py\n" });
  const long = `print(1)\n#${"x".repeat(64 * 1024)}`;
  expect(await api.run({ language: "python", code: long })).toMatchObject({ stdout: "1\n" });
  const limits = { memory_bytes: 32 << 20 };
  expect(await api.run({ language: "python", code, limits })).toMatchObject({ stdout: "[] None\n" });
  expect(await claims(api, "hit")).toBe(0);

  const crowd = await Promise.all(Array.from({ length: 12 }, () => api.run({ language: "python", code })));
  expect(crowd.map(({ stdout }) => stdout)).toEqual(crowd.map(() => "[] None\n"));
  expect((await claims(api, "hit")) + (await claims(api, "miss"))).toBe(12);
});

function processes(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The words of a process's command, each with a NUL behind it; empty for one that is gone. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

/** The processes of interpreters that wait, as long as no run was asked for: others print their version and end. */
function interpreters(dataDir: string): number[] {
  return processes().filter((pid) => {
    try {
      const inside = readFileSync(`/proc/${pid}/mountinfo`, "latin1").includes(dataDir);
      return inside && /^(python3|node|bash)\0.*main\.(py|js|ts|sh)\0$/s.test(commandOf(pid));
    } catch {
      return false;
    }
  });
}

/** What each interpreter that waits has used, in the kernel's words (proc_pid_stat(5): utime and stime). */
function processorTimes(dataDir: string): string[] {
  return interpreters(dataDir).map((pid) => `${pid}: ${statFieldsOf(pid).slice(11, 13).join(" ")}`);
}

/** The weight, beside others, of the sandbox that a process is in. */
function weightOf(pid: number): number {
  const memberships = readFileSync(`/proc/${pid}/cgroup`, "utf8");
  const version1 = /^\d+:([^:]*\bcpu\b[^:]*):(.*)$/m.exec(memberships);
  const [, path] = /^0::(.*)$/m.exec(memberships) ?? [];
  const file = version1 === null ? `${path}/cpu.weight` : `${version1[1]}${version1[2]}/cpu.shares`;
  return Number(readFileSync(`/sys/fs/cgroup/${file}`, "utf8"));
}

test("what was used before the program came counts neither as its time nor as its processor time", async () => {
  await using folder = await temporaryFolder();
  const { server, api } = await start(folder.path, {});
  await using _ = server;
  await waiting(api, 1);
  // What it still has to do when the program comes does count.
  await eventually(60_000, "interpreters that have nothing left to do", async () => {
    const before = processorTimes(folder.path);
    await delay(300);
    return before.length === LANGUAGES.length && isDeepStrictEqual(processorTimes(folder.path), before)
      ? true
      : undefined;
  });
  const idle = await api.run({ language: "typescript", code: "0;" });
  const cold = await api.run({ language: "typescript", code: "0;", args: ["cold"] });
  expect(await claims(api, "hit")).toBe(1);
  expect(idle.run?.cpu_ms ?? Infinity).toBeLessThan(cold.run?.cpu_ms ?? 0);
});

test("what waits has a quarter of the weight of a program", async () => {
  await using folder = await temporaryFolder();
  const { server, api } = await start(folder.path, { WARM_MIN: "1", WARM_MAX: "1" });
  await using _ = server;
  await waiting(api, 1);
  const weights = interpreters(folder.path).map(weightOf);
  expect(new Set(weights).size).toBe(1);
  for (const args of [[], ["cold"]]) {
    const running = api.run({ language: "bash", code: "exec -a weighed sleep 2", args });
    const pid = await eventually(20_000, "the program", () =>
      processes().find((each) => commandOf(each).startsWith("weighed\0")),
    );
    expect(weightOf(pid)).toBe(4 * (weights[0] ?? NaN));
    expect(await running).toMatchObject({ status: "succeeded" });
  }
  expect(await claims(api, "hit")).toBe(1);
});

test("an interpreter that died while it waited is no run's loss", async () => {
  await using folder = await temporaryFolder();
  const { server, api } = await start(folder.path, { WARM_MIN: "1", WARM_MAX: "1" });
  await using _ = server;
  await waiting(api, 1);
  const pids = await eventually(20_000, "the interpreters", () => {
    const found = interpreters(folder.path);
    return found.length === LANGUAGES.length ? found : undefined;
  });
  for (const pid of pids) process.kill(pid, "SIGKILL");
  expect(await api.run({ language: "python", code: "print(1)" })).toMatchObject({ status: "succeeded", stdout: "1\n" });
  expect(await api.run({ language: "nodejs", code: "console.log(1)" })).toMatchObject({ stdout: "1\n" });
  expect(await api.run({ language: "bash", code: "echo 1" })).toMatchObject({ stdout: "1\n" });
});

test("one that waits too long is replaced", async () => {
  await using folder = await temporaryFolder();
  const { server, api } = await start(folder.path, { WARM_MAX: "1", WARM_MAX_AGE_SECONDS: "1" });
  await using _ = server;
  await waiting(api, 1);
  const before = await eventually(60_000, "the interpreters", () => {
    const found = interpreters(folder.path);
    return found.length === LANGUAGES.length ? found : undefined;
  });
  await eventually(60_000, "others in their place", () => {
    const now = interpreters(folder.path);
    return now.length > 0 && !now.some((pid) => before.includes(pid)) ? true : undefined;
  });
}, 240_000);

test("a language in use gets more of them, up to WARM_MAX, and no other does", async () => {
  await using folder = await temporaryFolder();
  const { server, api } = await start(folder.path, { MAX_RUNNING: "6", WARM_MIN: "1", WARM_MAX: "3" });
  await using _ = server;
  await waiting(api, 1);
  await Promise.all(Array.from({ length: 6 }, () => api.run({ language: "python", code: "print(1)" })));
  const counts = async () => {
    const metrics = await api.metrics();
    return LANGUAGES.map((language) => metrics.sum("sandbox_ahead_waiting", { language }));
  };
  await eventually(60_000, "three of the language in use", async () => ((await counts())[0] === 3 ? true : undefined));
  expect(await counts()).toEqual([3, 1, 1, 1]);
}, 240_000);
