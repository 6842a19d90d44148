import { describe, expect } from "vitest";

import type { Client, RequestBody } from "../support/client.ts";
import { contractTest } from "../support/contract.ts";
import { collect } from "../support/events.ts";
import { source } from "../support/source.ts";

const test = contractTest({ CPU_LIMIT: "1" });

const ADD = source`
  #include <iostream>
  int main() { int a, b; std::cin >> a >> b; std::cout << a + b << std::endl; }
`;
/** Accepts every number that has the input's parity, and gives up where the input is no number. */
const PARITY = source`
  import sys
  if open("expected").read() != "any" or open("input").read() == "x":
      print("what is this?", file=sys.stderr)
      sys.exit(3)
  number = lambda name: int(open(name).read())
  sys.exit(0 if number("output") % 2 == number("input") % 2 else 1)
`;

function bash(code: string, more: RequestBody): RequestBody {
  return { language: "bash", code, ...more };
}

function statuses({ tests }: Awaited<ReturnType<Client["run"]>>): string[] {
  return (tests ?? []).map(({ status }) => status);
}

test("compiled once, each is told with its verdict and its usage", async ({ api }) => {
  const tests = [
    { stdin: "1 2", expected_stdout: "3" },
    { stdin: "20 22", expected_stdout: "42\n\n" },
    { stdin: "1 1", expected_stdout: "3" },
  ];
  const result = await api.run({ language: "cpp", code: ADD, tests });
  expect(result).toMatchObject({ status: "failed", verdict: "wrong_answer", run: null, exit_code: null, stdout: "" });
  expect(result.compile).toMatchObject({ exit_code: 0 });
  expect(statuses(result)).toEqual(["accepted", "accepted", "wrong_answer"]);
  for (const [index, each] of (result.tests ?? []).entries()) {
    expect(each).toMatchObject({ index, exit_code: 0, signal: null, limit: null, truncated: false, stderr: "" });
    expect(each.memory_bytes === null || each.memory_bytes > 0).toBe(true);
    expect(each.wall_ms).toBeLessThan((result.compile?.wall_ms ?? 0) + 5000);
  }
  expect(result.tests?.map(({ stdout }) => stdout)).toEqual(["3\n", "42\n", "2\n"]);
});

test("all accepted are a run that succeeded", async ({ api }) => {
  const result = await api.run(bash("cat", { tests: [{ stdin: "a", expected_stdout: "a" }, { stdin: "b" }] }));
  expect(result).toMatchObject({ status: "succeeded", verdict: "accepted" });
});

test("what a test does not have is the run's", async ({ api }) => {
  const tests = [
    { expected_stdout: "run's run's\n" },
    { args: ["own"], expected_stdout: "own run's\n" },
    { stdin: "own", expected_stdout: "run's own\n" },
    { stdin: "", args: [], expected_stdout: " \n" },
    { limits: { wall_ms: 9000 }, expected_stdout: "run's run's\n" },
  ];
  const result = await api.run(bash('echo "$1 $(cat)"', { stdin: "run's", args: ["run's"], tests }));
  expect(statuses(result)).toEqual(Array.from({ length: 5 }, () => "accepted"));
});

test("each end has its status, and none of them ends the others", async ({ api }) => {
  const code =
    "case $1 in exit) exit 3;; signal) kill -SEGV $$;; sleep) sleep 60;; spin) while :; do :; done;; yes) yes;; *) echo fine;; esac";
  const tests = [
    { args: ["exit"] },
    { args: ["signal"] },
    { args: ["sleep"], limits: { wall_ms: 300 } },
    { args: ["spin"], limits: { cpu_ms: 200 } },
    { args: ["yes"], limits: { output_bytes: 100 } },
    { args: ["fine"], expected_stdout: "fine" },
  ];
  const result = await api.run(bash(code, { tests }));
  expect(statuses(result)).toEqual(["failed", "signaled", "time_limit", "cpu_limit", "output_limit", "accepted"]);
  expect(result).toMatchObject({ status: "failed", verdict: "failed" });
  expect(result.tests?.map(({ limit }) => limit)).toEqual([null, null, "wall", "cpu", "output", null]);
  expect(result.tests?.[1]).toMatchObject({ signal: "SIGSEGV", exit_code: null });
  expect(result.tests?.[4]).toMatchObject({ truncated: true, stdout: "y\n".repeat(50) });
  expect(result.tests?.[2]?.wall_ms).toBeLessThan(10_000);
});

test("memory is counted for each by itself", async ({ api }) => {
  const code = "import sys; x = b'x' * (int(sys.argv[1]) << 20); print(len(x))";
  const tests = ["100", "1", "60"].map((mebibytes) => ({ args: [mebibytes] }));
  const result = await api.run({ language: "python", code, tests });
  const [large, small, middle] = (result.tests ?? []).map(({ memory_bytes }) => memory_bytes ?? 0);
  expect(large).toBeGreaterThan(100 << 20);
  expect(middle).toBeGreaterThan(60 << 20);
  expect(small).toBeLessThan(60 << 20);
});

test("a program that does not compile has tests that did not run", async ({ api }) => {
  const result = await api.run({ language: "c", code: "int main(", tests: [{ stdin: "1" }, {}] });
  expect(result).toMatchObject({ status: "compile_failed", verdict: "compile_failed", run: null });
  expect(result.stderr).toContain("error");
  expect(result.tests).toMatchObject([
    { index: 0, status: "skipped", stdout: "", wall_ms: 0, exit_code: null },
    { index: 1, status: "skipped" },
  ]);
});

describe("a comparison", () => {
  const CASES: [comparison: Record<string, unknown> | undefined, output: string, expected: string, status: string][] = [
    [undefined, "a  \nb\n\n", "a\nb", "accepted"],
    [{ mode: "lines" }, "a b", "a  b", "wrong_answer"],
    [{ mode: "exact" }, "a\n", "a", "wrong_answer"],
    [{ mode: "exact" }, "a\n", "a\n", "accepted"],
    [{ mode: "tokens" }, "a\n\n b", "a b\n", "accepted"],
    [{ mode: "float" }, "0.3333333 x", "0.33333333 x", "accepted"],
    [{ mode: "float", tolerance: 0.1 }, "1.2", "1", "wrong_answer"],
    [{ mode: "float", tolerance: 0.1 }, "1.05", "1", "accepted"],
  ];

  test.for(CASES)("%j of %j against %j is %s", async ([comparison, output, expected, status], { api }) => {
    const more = { tests: [{ stdin: output, expected_stdout: expected }], ...(comparison && { comparison }) };
    expect(statuses(await api.run(bash("cat", more)))).toEqual([status]);
  });
});

describe("a checker", () => {
  const checker = { mode: "checker", language: "python", code: PARITY };
  const expected_stdout = "any";

  test("judges by its exit code, with input, expected and output before it", async ({ api }) => {
    const tests = ["1", "2", "x", "3"].map((stdin) => ({ stdin, expected_stdout }));
    const result = await api.run(
      bash("read a; case $a in 2) echo 5;; 3) exit 3;; *) echo 7;; esac", { comparison: checker, tests }),
    );
    expect(statuses(result)).toEqual(["accepted", "wrong_answer", "checker_failed", "failed"]);
    expect(result).toMatchObject({ status: "failed", verdict: "wrong_answer" });
    expect(result.reason).toMatch(/checker.*failed.*test 2.*what is this/s);
    expect(result.tests?.map(({ stdout }) => stdout)).toEqual(["7\n", "5\n", "7\n", ""]);
  });

  test("has its word in the events and for those who ask later, the same for all", async ({ api }) => {
    const tests = ["1", "2"].map((stdin) => ({ stdin, expected_stdout }));
    const { id } = await api.submit(bash("echo 1", { comparison: checker, tests }));
    const result = await api.finished(id);
    expect(statuses(result)).toEqual(["accepted", "wrong_answer"]);
    const events = await collect(await api.events(id));
    expect(events.map((event) => event.id)).toEqual(events.map((_, index) => index));
    expect(events.map(({ event }) => event)).toEqual(["stage_started", "test", "test", "finished"]);
    expect(events.at(-1)).toMatchObject({ data: { result } });
    const rest = await collect(await api.events(id, { headers: { "last-event-id": "1" } }));
    expect(rest).toEqual(events.slice(2));
  });

  test("that can't be compiled fails every test, and says so", async ({ api }) => {
    const comparison = { mode: "checker", language: "c", code: "int main(" };
    const result = await api.run(bash("echo 1", { comparison, tests: [{ expected_stdout }, {}] }));
    expect(statuses(result)).toEqual(["checker_failed", "accepted"]);
    expect(result.reason).toMatch(/checker.*compile_failed.*error/s);
  });

  test("is in a sandbox of its own, with nothing of the program in it", async ({ api }) => {
    const code = "ls -A; ls -A /tmp; test ! -e left";
    const comparison = {
      mode: "checker",
      language: "bash",
      code: `[ "$(ls -A | tr '\\n' ' ')$(ls -A /tmp)" = "expected input main.sh output " ]`,
    };
    const result = await api.run(
      bash(`touch left /tmp/left; ${code}; true`, { comparison, tests: [{ expected_stdout }] }),
    );
    expect(statuses(result)).toEqual(["accepted"]);
  });

  test("counts with stop_on_failure too", async ({ api }) => {
    const tests = ["2", "1", "1"].map((stdin) => ({ stdin, expected_stdout }));
    const result = await api.run(bash("echo 1", { comparison: checker, tests, stop_on_failure: true }));
    expect(statuses(result)).toEqual(["wrong_answer", "skipped", "skipped"]);
  });
});

describe("stop_on_failure", () => {
  test("skips what follows the first test that is not accepted", async ({ api }) => {
    const started = performance.now();
    const tests = [{ args: ["0"] }, { args: ["0"], expected_stdout: "x" }, { args: ["50"] }, { args: ["0"] }];
    const result = await api.run(bash("sleep $1", { tests, stop_on_failure: true, limits: { wall_ms: 60_000 } }));
    expect(statuses(result)).toEqual(["accepted", "wrong_answer", "skipped", "skipped"]);
    expect(result).toMatchObject({ status: "failed", verdict: "wrong_answer" });
    expect(performance.now() - started).toBeLessThan(45_000);
  });

  test("is the same for those who ask later", async ({ api }) => {
    const tests = [{ args: ["1"] }, { args: ["0"] }];
    const { id } = await api.submit(bash("exit $1", { tests, stop_on_failure: true }));
    const result = await api.finished(id);
    expect(statuses(result)).toEqual(["failed", "skipped"]);
    expect(await api.result(id)).toEqual(result);
    const events = await collect(await api.events(id));
    expect(events.map(({ event }) => event)).toEqual(["stage_started", "test", "finished"]);
  });
});

test("200 tests have their events as they end, each once and in order", async ({ api }) => {
  const tests = Array.from({ length: 200 }, (_, index) => ({ stdin: `${index}`, expected_stdout: `${index}` }));
  const { id } = await api.submit(bash("cat", { tests }));
  const events = await collect(await api.events(id));
  const told = events.flatMap((event) => (event.event === "test" ? [event.data] : []));
  expect(told.map(({ index, status, stdout }) => [index, status, stdout])).toEqual(
    tests.map((_, index) => [index, "accepted", `${index}`]),
  );
  const result = await api.finished(id);
  expect(result).toMatchObject({ status: "succeeded", verdict: "accepted", tests: told });
});

test("a test is told while the next one runs", async ({ api }) => {
  const tests = [{ args: ["0"] }, { args: ["60"] }];
  const { id } = await api.submit(bash("sleep $1", { tests, limits: { wall_ms: 60_000 } }));
  for await (const event of await api.events(id)) {
    if (event.event !== "test") continue;
    expect(event.data).toMatchObject({ index: 0, status: "accepted" });
    expect(await api.result(id)).toMatchObject({ status: "running" });
    break;
  }
  const cancelled = await api.cancel(id);
  expect(cancelled).toMatchObject({ status: "cancelled" });
  expect(await api.finished(id)).toMatchObject({
    verdict: "cancelled",
    tests: [{ status: "accepted" }, { status: "cancelled" }],
  });
});

describe("a hostile program", () => {
  const twice = { tests: [{ args: ["leave"] }, { args: ["look"] }] };

  test("leaves nothing for the next test", async ({ api }) => {
    const code = source`
      if [ $1 = leave ]; then
        for place in /work /tmp /dev/shm; do
          mkdir -p $place/a/b; echo secret | tee $place/left $place/.left > $place/a/b/left; chmod 000 $place/a
          ln -s /usr $place/usr; mkfifo $place/pipe
        done
        echo changed > main.sh; chmod 000 main.sh
        (trap '' HUP TERM; setsid sleep 1000 &) > /dev/null 2>&1
        ipcmk -M 100 > /dev/null; ipcmk -S 1 > /dev/null; ipcmk -Q > /dev/null
        mkdir deep; cd deep; for n in {1..500}; do mkdir d; cd d; done
      else
        ls -A /work /tmp /dev/shm
        tail -qn +2 /proc/sysvipc/*
        grep -l sleep /proc/[0-9]*/comm
        [ -d /usr/bin ]
      fi
    `;
    const result = await api.run(bash(code, twice));
    expect(result.tests?.[1]).toMatchObject({ status: "accepted", stdout: "/dev/shm:\n\n/tmp:\n\n/work:\nmain.sh\n" });
  });

  test("can't forge a test's end by what it prints", async ({ api }) => {
    const forged = [
      '{"seq":3,"type":"ended","stage":"test","test":0,"exit_code":0,"signal":null,"error":null,"limit":null,"wall_us":1,"cpu_us":1,"memory_bytes":1,"stdout_truncated":false,"stderr_truncated":false}',
      '{"seq":4,"type":"finished"}',
    ].join("\n");
    const code = `printf '%s\\n' '${forged}' | tee /proc/1/fd/1 /dev/stderr; exit 1`;
    const result = await api.run(bash(code, { tests: [{ expected_stdout: "x" }, { expected_stdout: "x" }] }));
    expect(statuses(result)).toEqual(["failed", "failed"]);
    expect(result.tests?.[0]?.stdout).toBe(`${forged}\n`);
  });

  test("finds no expected output anywhere", async ({ api }) => {
    const secret = "expected-5e1f0a";
    const code = source`
      import glob, os
      for path in glob.glob("/proc/[0-9]*/*") + glob.glob("/proc/[0-9]*/fd/*") + glob.glob("/work/**", recursive=True) + glob.glob("/tmp/**", recursive=True) + glob.glob("/dev/**", recursive=True):
          if path.endswith(("kmsg", "/fd/0", "kpagecount", "stdin", "random", "urandom", "zero", "full", "pagemap")) or not os.path.isfile(path): continue
          try:
              with open(path, "rb") as file: content = file.read(1 << 20)
          except OSError: continue
          if b"expected-" + b"5e1f0a" in content: print(path)
      print("looked")
    `;
    const tests = [{ expected_stdout: secret }, { expected_stdout: "looked" }];
    const result = await api.run({ language: "python", code, tests });
    expect(result.tests).toMatchObject([{ status: "wrong_answer", stdout: "looked\n" }, { status: "accepted" }]);
  });

  test("of 20,000 files has a next test as any other", async ({ api }) => {
    const code = source`
      import os, sys
      if sys.argv[1] == "leave":
          for number in range(20_000): open(f"f{number}", "w")
      print(len(os.listdir(".")))
    `;
    const limits = { work_inodes: 50_000 };
    const result = await api.run({ language: "python", code, limits, ...twice });
    expect(result.tests?.map(({ stdout }) => stdout)).toEqual(["20001\n", "1\n"]);
  });
});
