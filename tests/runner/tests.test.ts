import { describe, expect, test } from "vitest";
import { BINARIES, type BinaryName } from "./binaries.ts";
import type { Outcome } from "./frames.ts";
import { executeInPod } from "./pod.ts";
import type { ProgramSpec, TestSpec } from "./program.ts";
import { execute } from "./sandbox.ts";

const MAX_SNAPSHOT_BYTES = 64 << 20;

function bash(script: string): { command: readonly string[] } {
  return { command: ["bash", "-c", script] };
}

function outputs(outcome: Outcome): string[] {
  expect(outcome.failed).toBe(null);
  return outcome.stages.filter(({ stage }) => stage === "test").map(({ stdout }) => stdout.toString());
}

/** A test that leaves what `script` makes, and one that looks at what is there. */
function leaving(script: string, looking: string): ProgramSpec {
  return { files: { "main.txt": "main" }, stages: [bash("true")], tests: [bash(script), bash(looking)] };
}

type Run = (program: ProgramSpec, binary: BinaryName) => Promise<Outcome>;

/** Each binary and each kind of sandbox once. */
const everywhere: { binary: BinaryName; where: string; run: Run }[] = [
  { binary: "sanitized", where: "in a sandbox", run: (program, binary) => execute(program, { binary }) },
  { binary: "normal", where: "in a pod", run: (program, binary) => executeInPod(program, undefined, { binary }) },
];

describe.each(everywhere)("tests $where ($binary)", ({ binary, run }) => {
  test("are told one after the other, with one compile before them", async () => {
    const outcome = await run(
      {
        files: { "in.txt": "source" },
        stages: [
          { kind: "c", ...bash("cp in.txt made; chmod 750 made; echo compiled") },
          { command: ["bash", "-c", 'cat made; echo " $1 $(cat)"', "sh", "default"], stdin: "stdin" },
        ],
        tests: [{}, { stdin: "" }, { command: ["stat", "-c", "%a %n", "made"] }, { stdin: "x" }, {}],
      },
      binary,
    );
    expect(outputs(outcome)).toEqual([
      "source default stdin\n",
      "source default \n",
      "750 made\n",
      "source default x\n",
      "source default stdin\n",
    ]);
    expect(outcome.stages.map(({ stage, test: number }) => [stage, number])).toEqual([
      ["compile", undefined],
      ...[0, 1, 2, 3, 4].map((number) => ["test", number]),
    ]);
    expect(outcome).toMatchObject({ exitCode: 0, lastWords: "" });
  });

  test("end each by themselves, however they end, and the next begins", async () => {
    const ends: TestSpec[] = [
      bash("exit 3"),
      bash("kill -SEGV $$"),
      { ...bash("sleep 1000"), limits: { wallUs: 100_000 } },
      { ...bash("yes"), limits: { outputBytes: 100 } },
      { ...bash("while :; do :; done"), limits: { wallUs: 300_000 } },
      bash("echo fine"),
    ];
    const { stages } = await run({ stages: [bash("true")], tests: ends }, binary);
    const endings = stages.map(({ exit_code, signal, limit }) => [exit_code, limit === null ? signal : null, limit]);
    expect(endings).toEqual([
      [3, null, null],
      [null, "SIGSEGV", null],
      [null, null, "wall"],
      [null, null, "output"],
      [null, null, "wall"],
      [0, null, null],
    ]);
    expect(stages.at(-1)?.stdout.toString()).toBe("fine\n");
  });

  test("have files of their own, which replace what is there", async () => {
    const outcome = await run(
      {
        files: { "a/given": "program's" },
        stages: [
          { kind: "c", ...bash("ln -s /etc/passwd link; mkfifo pipe") },
          bash("cat a/given link other/own 2>&1"),
        ],
        tests: [
          { files: { link: "own link\n", "a/given": "own\n", "other/own": "more\n" } },
          { ...bash("cat a/given; readlink link; ls") },
        ],
      },
      binary,
    );
    expect(outputs(outcome)).toEqual(["own\nown link\nmore\n", "program's/etc/passwd\na\nlink\n"]);
  });

  const LEFT: [what: string, leave: string, look: string, expected: string][] = [
    ["files", "echo x > new; echo x >> main.txt; mkdir -p d/e; touch d/e/f", "ls -A; cat main.txt", "main.txt\nmain"],
    ["a file in place of another", "rm main.txt; mkdir main.txt; touch main.txt/x", "cat main.txt", "main"],
    ["nothing of the program's files", "rm main.txt", "cat main.txt", "main"],
    [
      "modes",
      "chmod 000 main.txt; mkdir -m 000 d; chmod 000 .",
      "stat -c '%a %n' main.txt; ls -A",
      "644 main.txt\nmain.txt\n",
    ],
    ["closed folders in each other", "mkdir -p a/b/c; touch a/b/c/f; chmod 000 a/b/c a/b a", "ls -A", "main.txt\n"],
    [
      "files elsewhere",
      "echo x | tee /tmp/a /tmp/.b > /dev/shm/c; chmod 000 /tmp/a",
      "ls -A /tmp /dev/shm",
      "/dev/shm:\n\n/tmp:\n",
    ],
    [
      "links that lead out",
      "ln -s /usr usr; ln -s / root; ln -s .. up; ln main.txt hard",
      "ls -A; ls -d /usr/bin",
      "main.txt\n/usr/bin\n",
    ],
    [
      "pipes and sockets",
      "mkfifo p /tmp/p; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"s\")'",
      "ls -A . /tmp",
      ".:\nmain.txt\n\n/tmp:\n",
    ],
    [
      "names of every kind",
      "touch -- -rf '*' $'a\\nb' $'\\xff' .hidden ' ' \"$(printf %0255d 0)\"",
      "ls -A",
      "main.txt\n",
    ],
    [
      "a thousand folders in each other",
      'python3 -c \'import os\nfor n in range(1000): os.mkdir("d"); os.chdir("d")\'',
      "ls -A",
      "main.txt\n",
    ],
    ["five thousand files", "for n in {1..5000}; do echo > f$n; done", "ls -A | wc -l", "1\n"],
    [
      "a daemon",
      "setsid bash -c 'trap \"\" TERM HUP; exec sleep 1000' > /dev/null 2>&1 & sleep 0.1",
      "pgrep sleep | wc -l",
      "0\n",
    ],
    ["a daemon that holds the output", "(setsid sleep 1000 &) ; echo x", "pgrep sleep | wc -l", "0\n"],
    [
      "shared memory",
      "ipcmk -M 4096 -p 0 > /dev/null; ipcmk -M 4096 > /dev/null",
      "tail -n +2 /proc/sysvipc/shm | wc -l",
      "0\n",
    ],
    [
      "semaphores",
      "ipcmk -S 3 -p 0 > /dev/null; ipcmk -S 1 > /dev/null",
      "tail -n +2 /proc/sysvipc/sem | wc -l",
      "0\n",
    ],
    ["queues", "ipcmk -Q -p 0 > /dev/null; ipcmk -Q > /dev/null", "tail -n +2 /proc/sysvipc/msg | wc -l", "0\n"],
    ["the time of a folder", "touch -d @12345 .", "[ $(stat -c %Y .) -gt 1000000000 ] && echo now", "now\n"],
    [
      "attributes",
      'python3 -c \'import os\nfor path in [".", "main.txt", "/tmp"]:\n try: os.setxattr(path, "user.left", b"x")\n except OSError: pass\'',
      'python3 -c \'import os; print([os.listxattr(path) for path in [".", "main.txt", "/tmp"]])\'',
      "[[], [], []]\n",
    ],
  ];

  test.each(LEFT)("leave nothing to the next: %s", async (_, leave, look, expected) => {
    const [left, found] = outputs(await run(leaving(leave, look), binary));
    expect([left?.trim() ?? "", found]).toEqual([left === "x\n" ? "x" : "", expected]);
  });

  test("share no abstract socket", async () => {
    const open = "import socket; s = socket.socket(socket.AF_UNIX); s.bind(chr(0) + 'left'); s.listen()";
    const script = `python3 -c "${open}; import os; os.fork() or __import__('time').sleep(1000)" && echo bound`;
    expect(outputs(await run(leaving(script, script), binary))).toEqual(["bound\n", "bound\n"]);
  });

  test("can't make a queue that has a name", async () => {
    const code =
      "import ctypes, os; c = ctypes.CDLL(None, use_errno=True); print(c.mq_open(b'/left', 0o102, 0o600, None), os.strerror(ctypes.get_errno()))";
    expect(outputs(await run({ stages: [{ command: ["python3", "-c", code] }], tests: [{}] }, binary))).toEqual([
      "-1 Function not implemented\n",
    ]);
  });

  test("find what the compiler left, down to times, modes, links and hidden files", async () => {
    const compile =
      "mkdir -p a/b; echo 1 > a/b/c; ln -s b a/l; ln a/b/c hard; touch .h; touch -d @1000 a/b/c a/b a; chmod 500 a/b; chmod 4755 .h; echo x > /tmp/x";
    const look = "find . -printf '%p %M %l %n\\n' | sort; stat -c %Y a a/b a/b/c; ls -A /tmp; cat a/l/c hard";
    const outcome = await run(
      {
        stages: [{ kind: "c", ...bash(compile) }, bash(look)],
        tests: [{}, bash("chmod 700 a/b; rm -r a hard .h; mkdir hard"), {}],
      },
      binary,
    );
    const [first, , third] = outputs(outcome);
    expect(third).toBe(first);
    expect(first?.replace(/^\. .*\n/, "")).toBe(
      "./.h -rwsr-xr-x  1\n./a drwxr-xr-x  3\n./a/b dr-x------  2\n./a/b/c -rw-r--r--  1\n./a/l lrwxrwxrwx b 1\n./hard -rw-r--r--  1\n1000\n1000\n1000\n1\n1\n",
    );
  });

  test("of a compile that fails there are none", async () => {
    const outcome = await run({ stages: [{ kind: "c", ...bash("exit 1") }, bash("echo x")], tests: [{}, {}] }, binary);
    expect(outcome.course).toBe("ready started ended finished");
  });

  test("have 32 MiB of output together", async () => {
    const one = { ...bash("head -c 15000000 /dev/zero | tr '\\0' x"), limits: { outputBytes: 15_000_000 } };
    const { stages } = await run(
      { stages: [bash("true")], tests: [one, one, one, one, bash("true"), bash("echo")] },
      binary,
    );
    expect(stages.map(({ stdout, limit }) => [stdout.length, limit])).toEqual([
      [15_000_000, null],
      [15_000_000, null],
      [(32 << 20) - 30_000_000, "output"],
      [0, "output"],
      [0, null],
      [0, "output"],
    ]);
  });
});

describe.each(BINARIES)("what tests can't be run with (%s)", (binary) => {
  test.each([
    ["more than can be kept", `head -c ${MAX_SNAPSHOT_BYTES} /dev/zero > a`, /takes more than \d+ bytes/],
    ["folders too deep", "for n in {1..70}; do mkdir d; cd d; done", /deeper than 64/],
  ])("%s is said", async (_, compile, message) => {
    const limits = { fileBytes: 128 << 20 };
    const stages = [{ kind: "c" as const, ...bash(compile), limits }, bash("true")];
    const outcome = await execute({ workBytes: 128 << 20, stages, tests: [{}] }, { binary });
    expect(outcome.failed).toMatch(message);
    expect(outcome.exitCode).toBe(2);
  });
});
