import { describe, expect } from "vitest";

import { BACKEND, contractTest, serve } from "../support/contract.ts";
import { LIMIT_NAMES } from "../support/answers.ts";
import { source } from "../support/source.ts";

const MiB = 1024 * 1024;

const test = contractTest({ CPU_LIMIT: "1" });

describe("wall_ms", () => {
  test("ends a program that sleeps, and keeps what it printed", async ({ api }) => {
    const code = "trap '' TERM INT HUP QUIT; echo early; sleep 60; echo late";
    const result = await api.run({ language: "bash", code, limits: { wall_ms: 400 } });
    expect(result).toMatchObject({
      status: "time_limit",
      stdout: "early\n",
      run: { limit: "wall", signal: "SIGKILL" },
    });
    expect(result.run?.wall_ms).toBeGreaterThanOrEqual(400);
    expect(result.run?.wall_ms).toBeLessThan(4000);
  });

  test("ends a program that has stopped itself", async ({ api }) => {
    const result = await api.run({ language: "bash", code: "kill -STOP $$", limits: { wall_ms: 300 } });
    expect(result).toMatchObject({ status: "time_limit", run: { limit: "wall" } });
  });

  test("isn't met by a program that waits as long as it may", async ({ api }) => {
    const result = await api.run({ language: "bash", code: "sleep 0.5", limits: { wall_ms: 20_000 } });
    expect(result.status).toBe("succeeded");
    expect(result.run?.wall_ms).toBeGreaterThanOrEqual(500);
    expect(result.run?.cpu_ms).toBeLessThan(400);
  });
});

describe("cpu_ms", () => {
  test("ends a program that spins, close to its limit", async ({ api }) => {
    const result = await api.run({ language: "python", code: "while True: pass", limits: { cpu_ms: 500 } });
    expect(result).toMatchObject({ status: "cpu_limit", run: { limit: "cpu" } });
    expect(result.run?.cpu_ms).toBeGreaterThanOrEqual(450);
    expect(result.run?.cpu_ms).toBeLessThan(1000);
  });

  test("counts all processes together", async ({ api }) => {
    const code = "for i in 1 2 3 4; do (while :; do :; done) & done; wait";
    const result = await api.run({ language: "bash", code, limits: { cpu_ms: 600 } });
    expect(result).toMatchObject({ status: "cpu_limit", run: { limit: "cpu" } });
    expect(result.run?.cpu_ms).toBeGreaterThanOrEqual(550);
    expect(result.run?.cpu_ms).toBeLessThan(1500);
  });

  test("counts processes whose end nobody has waited for", async ({ api }) => {
    const code = source`
      import os, signal, time
      signal.signal(signal.SIGCHLD, signal.SIG_IGN)
      for _ in range(100):
          if os.fork() == 0:
              end = time.process_time() + 0.1
              while time.process_time() < end: pass
              os._exit(0)
          try: os.wait()
          except ChildProcessError: pass
    `;
    const result = await api.run({ language: "python", code, limits: { cpu_ms: 600 } });
    expect(result).toMatchObject({ status: "cpu_limit", run: { limit: "cpu" } });
  });
});

test("cpu_millicores: a program gets its share of the processors and no more", async ({ api }) => {
  const code = "import time\nwhile time.process_time() < 1: pass";
  const result = await api.run({ language: "python", code, limits: { cpu_millicores: 200, wall_ms: 30_000 } });
  expect(result.status).toBe("succeeded");
  expect(result.run?.cpu_ms).toBeGreaterThanOrEqual(950);
  // Two seconds' share at once, where one was left over, and one that begins.
  expect(result.run?.wall_ms).toBeGreaterThan(1800);
});

describe("memory_bytes", () => {
  const hoard = "hoard = []\nwhile True: hoard.append(bytearray(1 << 20))";

  test("ends a program that takes more and more", async ({ api }) => {
    const result = await api.run({ language: "python", code: hoard, limits: { memory_bytes: 64 * MiB } });
    expect(result).toMatchObject({ status: "memory_limit", run: { limit: "memory", exit_code: null } });
    expect(result.run?.memory_bytes).toBeGreaterThan(56 * MiB);
    expect(result.run?.memory_bytes).toBeLessThan(96 * MiB);
  });

  test("counts a child that takes it, though the parent lives on", async ({ api }) => {
    const code = `import subprocess, sys\nsubprocess.run([sys.executable, "-c", ${JSON.stringify(hoard)}])\nprint("still here")`;
    const result = await api.run({ language: "python", code, limits: { memory_bytes: 64 * MiB } });
    expect(result).toMatchObject({ status: "memory_limit", run: { limit: "memory" } });
  });

  test.for(["/work", "/tmp", "/dev/shm"])("counts the files in %s", async (folder, { api }) => {
    const code = `head -c 48M /dev/zero > ${folder}/big; echo written`;
    const limits = { memory_bytes: 24 * MiB, work_bytes: 64 * MiB, file_bytes: 64 * MiB };
    expect(await api.run({ language: "bash", code, limits })).toMatchObject({ status: "memory_limit" });
  });

  test("counts memory that no process maps", async ({ api }) => {
    const code = source`
      import os
      memory = os.memfd_create("hidden")
      for _ in range(200): os.write(memory, bytes(1 << 20))
    `;
    const limits = { memory_bytes: 64 * MiB, file_bytes: 256 * MiB };
    expect(await api.run({ language: "python", code, limits })).toMatchObject({ status: "memory_limit" });
  });

  test("is the peak that is reported", async ({ api }) => {
    const small = await api.run({ language: "python", code: "pass" });
    const large = await api.run({ language: "python", code: "x = bytearray(b'x') * (100 << 20); del x" });
    expect(large.status).toBe("succeeded");
    expect(small.run?.memory_bytes).toBeGreaterThan(1 * MiB);
    expect(small.run?.memory_bytes).toBeLessThan(40 * MiB);
    expect(large.run?.memory_bytes).toBeGreaterThan(100 * MiB);
    expect(large.run?.memory_bytes).toBeLessThan(150 * MiB);
  });

  test("of compiling and of running are reported apart", async ({ api }) => {
    const { compile, run } = await api.run({
      language: "cpp",
      // Begins with no header that is precompiled, as which the compiler takes less.
      code: "#include <string>\n#include <iostream>\nint main() { std::cout << 1; }",
    });
    expect(compile?.memory_bytes).toBeGreaterThan(30 * MiB);
    expect(compile?.cpu_ms).toBeGreaterThan(50);
    expect(run?.memory_bytes).toBeLessThan(compile?.memory_bytes ?? 0);
    expect(run?.cpu_ms).toBeLessThan(compile?.cpu_ms ?? 0);
  });
});

describe("processes", () => {
  test("holds a fork bomb in Python", async ({ api }) => {
    const code = source`
      import os
      while True:
          try: os.fork()
          except OSError: pass
    `;
    const result = await api.run({ language: "python", code, limits: { processes: 32, wall_ms: 1500 } });
    expect(result).toMatchObject({ status: "process_limit", run: { limit: "processes" } });
    expect(await api.run({ language: "bash", code: "echo fine" })).toMatchObject({ stdout: "fine\n" });
  });

  test("holds a fork bomb in Bash", async ({ api }) => {
    const result = await api.run({
      language: "bash",
      code: ":(){ :|:& };:; while :; do :; done",
      limits: { processes: 32, wall_ms: 2000 },
    });
    expect(result).toMatchObject({ status: "process_limit", run: { limit: "processes" } });
    expect(await api.run({ language: "bash", code: "echo fine" })).toMatchObject({ stdout: "fine\n" });
  });

  test("counts threads", async ({ api }) => {
    const code = source`
      import threading
      hold = threading.Event()
      threads = []
      try:
          while len(threads) < 100:
              thread = threading.Thread(target=hold.wait)
              thread.start()
              threads.append(thread)
      except RuntimeError:
          print(len(threads))
      hold.set()
    `;
    const result = await api.run({ language: "python", code, limits: { processes: 16 } });
    expect(result.status).toBe("process_limit");
    expect(Number(result.stdout)).toBe(15);
  });

  test("isn't met by a program that has just as many", async ({ api }) => {
    const code = "for i in {1..9}; do sleep 0.2 & done; wait; echo done";
    expect(await api.run({ language: "bash", code, limits: { processes: 10 } })).toMatchObject({
      status: "succeeded",
      stdout: "done\n",
    });
  });
});

test("open_files: a process opens so many and then gets EMFILE", async ({ api }) => {
  const code = source`
    import errno, os
    opened = []
    try:
        while True: opened.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        print(errno.errorcode[error.errno], max(opened))
  `;
  const result = await api.run({ language: "python", code, limits: { open_files: 40 } });
  expect(result).toMatchObject({ status: "succeeded", stdout: "EMFILE 39\n" });
});

describe("file_bytes", () => {
  const write = (signal: string) => source`
    import errno, os, signal
    signal.signal(signal.SIGXFSZ, signal.${signal})
    file = os.open("big", os.O_WRONLY | os.O_CREAT)
    try:
        while True: os.write(file, bytes(1000))
    except OSError as error:
        print(errno.errorcode[error.errno], os.fstat(file).st_size)
  `;

  test("ends a process that writes a longer file with SIGXFSZ", async ({ api }) => {
    const result = await api.run({ language: "python", code: write("SIG_DFL"), limits: { file_bytes: 10_500 } });
    expect(result).toMatchObject({
      status: "signaled",
      run: { signal: "SIGXFSZ", limit: "file_size", exit_code: null },
    });
  });

  test("gives EFBIG to one that ignores the signal, with the file cut at the limit", async ({ api }) => {
    const result = await api.run({ language: "python", code: write("SIG_IGN"), limits: { file_bytes: 10_500 } });
    expect(result).toMatchObject({ status: "succeeded", stdout: "EFBIG 10500\n" });
  });
});

describe("the work folders", () => {
  test.for(["/work", "/tmp", "/dev/shm"])(
    "work_bytes: %s takes so much and then gives ENOSPC",
    async (folder, { api }) => {
      const code = source`
      import errno
      try:
          with open("${folder}/big", "wb", buffering=0) as file:
              while True: file.write(bytes(4096))
      except OSError as error:
          print(errno.errorcode[error.errno])
      import os
      print(os.stat("${folder}/big").st_size)
    `;
      const result = await api.run({ language: "python", code, limits: { work_bytes: 1 * MiB } });
      const [errno, size] = result.stdout.split("\n");
      expect(errno).toBe("ENOSPC");
      expect(Number(size)).toBeLessThanOrEqual(1 * MiB);
      expect(Number(size)).toBeGreaterThan(1 * MiB - 64 * 1024);
    },
  );

  test.for(["/work", "/tmp", "/dev/shm"])(
    "work_inodes: %s takes so many files; more give ENOSPC or, where the folder is not the backend's to bound, end the run",
    async (folder, { api }) => {
      const code = source`
      import errno
      count = 0
      try:
          while True:
              open(f"${folder}/{count}", "x").close()
              count += 1
      except OSError as error:
          print(errno.errorcode[error.errno], count)
    `;
      const result = await api.run({ language: "python", code, limits: { work_inodes: 100 } });
      if (BACKEND === "kubernetes") {
        expect(result).toMatchObject({ status: "signaled", run: { limit: "inodes", signal: "SIGKILL" } });
        return;
      }
      const [errno, count] = result.stdout.trim().split(" ");
      expect(errno).toBe("ENOSPC");
      expect(Number(count)).toBeLessThanOrEqual(100);
      expect(Number(count)).toBeGreaterThanOrEqual(90);
    },
  );
});

describe("compiling", () => {
  const heavy = "#include <iostream>\n#include <regex>\nint main() { std::cout << 1; }";
  const cases: [limit: string, limits: Record<string, number>, status: string][] = [
    ["wall", { compile_wall_ms: 30 }, "time_limit"],
    ["cpu", { compile_cpu_ms: 100 }, "cpu_limit"],
    ["memory", { compile_memory_bytes: 16 * MiB }, "memory_limit"],
  ];

  test.for(cases)("has a %s limit of its own", async ([limit, limits, status], { api }) => {
    const result = await api.run({ language: "cpp", code: heavy, limits });
    expect(result).toMatchObject({ status, run: null, compile: { limit } });
  });

  test("has its output cut like a program's", async ({ api }) => {
    const code = Array.from({ length: 300 }, (_, index) => `int a${index} = undeclared_${index};`).join("\n");
    const result = await api.run({ language: "c", code, limits: { output_bytes: 5000 } });
    expect(result).toMatchObject({
      status: "output_limit",
      run: null,
      compile: { limit: "output", stderr_truncated: true },
    });
    expect(Buffer.byteLength(result.stderr)).toBe(5000);
  });

  test("reads no endless file", async ({ api }) => {
    const limits = { compile_wall_ms: 2000, compile_memory_bytes: 64 * MiB };
    for (const file of ["/dev/zero", "/dev/urandom"]) {
      for (const line of [`#include "${file}"`, `__asm__(".incbin \\"${file}\\"");`]) {
        const { status } = await api.run({ language: "c", code: `${line}\nint main(void) {}`, limits });
        expect(["compile_failed", "memory_limit", "time_limit", "cpu_limit", "output_limit"], line).toContain(status);
      }
    }
  });
});

describe("bounds", () => {
  test("are reported with a default and a maximum for every limit of every language", async ({ api }) => {
    for (const { name, limits } of await api.languages()) {
      for (const limit of LIMIT_NAMES) {
        expect(limits.default[limit], `${name} ${limit}`).toBeLessThanOrEqual(limits.maximum[limit]);
      }
    }
  });

  test("take the maximum itself, for every limit at once", async ({ api }) => {
    const maximum = (await api.languages()).find(({ name }) => name === "bash")?.limits.maximum;
    expect(await api.run({ language: "bash", code: "echo fine", limits: maximum })).toMatchObject({ stdout: "fine\n" });
  });

  test("come from the settings, and the default is what holds a run that asks for nothing", async () => {
    await using served = await serve({
      CPU_LIMIT: "250m",
      MEMORY_LIMIT: "48Mi",
      DEFAULT_WALL_MS: "1500",
      MAX_WALL_MS: "3000",
      DEFAULT_OUTPUT_BYTES: "10",
      MAX_OUTPUT_BYTES: "20",
      DEFAULT_OPEN_FILES: "30",
    });
    const { api } = served;
    const python = (await api.languages()).find(({ name }) => name === "python");
    expect(python?.limits.default).toMatchObject({
      cpu_millicores: 250,
      memory_bytes: 48 * MiB,
      wall_ms: 1500,
      output_bytes: 10,
      open_files: 30,
    });
    expect(python?.limits.maximum).toMatchObject({ cpu_millicores: 250, wall_ms: 3000, output_bytes: 20 });

    expect(await api.run({ language: "bash", code: "sleep 60" })).toMatchObject({ status: "time_limit" });
    expect(await api.run({ language: "bash", code: "yes" })).toMatchObject({
      status: "output_limit",
      stdout: "y\n".repeat(5),
    });
    expect(await api.run({ language: "bash", code: "ulimit -n" })).toMatchObject({ stdout: "30\n" });
    expect(await api.run({ language: "python", code: "x = b'x' * (100 << 20)" })).toMatchObject({
      status: "memory_limit",
    });
    const { error } = await api.refused(
      api.post("/api/run/sync", { language: "bash", code: "x", limits: { wall_ms: 3001 } }),
    );
    expect(error).toMatchObject({ code: "invalid_request", details: { field: "limits.wall_ms" } });
    expect(error.message).toContain("3000");
  });
});
