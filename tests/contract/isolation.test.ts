import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { describe, expect } from "vitest";

import type { Client } from "../support/client.ts";
import { BACKEND, contractTest } from "../support/contract.ts";
import { source } from "../support/source.ts";

const CANARY = "canary-7c1d2f";
const test = contractTest({ CPU_LIMIT: "1", MAX_RUNNING: "2", CANARY, AWS_SECRET_ACCESS_KEY: CANARY });

/** The output of a program that is expected to end well. */
async function outputOf(
  api: Client,
  language: string,
  code: string,
  limits: Record<string, number> = {},
): Promise<string> {
  const result = await api.run({ language, code, limits });
  expect(result, result.stderr).toMatchObject({ status: "succeeded" });
  return result.stdout;
}

/** Tries each expression and prints the name of its error, or its value. */
function attempts(...expressions: readonly string[]): string {
  return source`
    import errno, os, socket, ctypes, signal, resource, pathlib, glob
    libc = ctypes.CDLL(None, use_errno=True)
    def syscall(number, *arguments):
        if libc.syscall(number, *arguments) == -1: raise OSError(ctypes.get_errno(), "")
        return 0
    def call(name, *arguments):
        if getattr(libc, name)(*arguments) == -1: raise OSError(ctypes.get_errno(), "")
        return 0
    for expression in ${JSON.stringify(expressions)}:
        try: print(eval(expression))
        except OSError as error: print(errno.errorcode.get(error.errno, error.errno))
  `;
}

async function attempt(api: Client, ...expressions: readonly string[]): Promise<Record<string, string>> {
  const lines = (await outputOf(api, "python", attempts(...expressions))).trimEnd().split("\n");
  return Object.fromEntries(expressions.map((expression, index) => [expression, lines[index] ?? ""]));
}

/** None of the expressions may have had a value. */
async function expectDenied(api: Client, ...expressions: readonly string[]): Promise<void> {
  for (const [expression, outcome] of Object.entries(await attempt(api, ...expressions))) {
    expect(
      ["EACCES", "EPERM", "EROFS", "ENOENT", "ENOSYS", "ESRCH", "ENODEV", "ENXIO", "ENOTDIR", "EAFNOSUPPORT", "EINVAL"],
      `${expression}: ${outcome}`,
    ).toContain(outcome);
  }
}

describe("the environment", () => {
  test("has only what is documented, and what the request sets", async ({ api }) => {
    const result = await api.run({
      language: "bash",
      code: "env -u _ -u SHLVL -u PWD -u OLDPWD",
      env: { MINE: "mine" },
    });
    const variables = Object.fromEntries(
      result.stdout
        .trim()
        .split("\n")
        .map((line) => line.split("=", 2)),
    );
    expect(variables).toEqual({
      PATH: expect.stringMatching(/\/usr\/bin/),
      HOME: "/work",
      TMPDIR: "/tmp",
      LANG: "C.UTF-8",
      MINE: "mine",
    });
  });

  test("shows nothing of the server's, in any process or language", async ({ api }) => {
    const programs: [string, string][] = [
      ["bash", "cat /proc/*/environ /proc/*/cmdline /proc/*/task/*/environ 2>/dev/null | tr '\\0' '\\n'; env; set"],
      [
        "python",
        "import os; print(os.environ, [open(f, 'rb').read() for f in ['/proc/self/environ', '/proc/self/cmdline']])",
      ],
      ["nodejs", "console.log(process.env, process.argv, process.execArgv, process.ppid)"],
    ];
    for (const [language, code] of programs) {
      const output = await outputOf(api, language, code);
      expect(output).not.toContain(CANARY);
      expect(output).not.toMatch(/DATA_DIR|API_KEYS|LOG_LEVEL/);
    }
  });

  test("can't be read from what stands above the program", async ({ api }) => {
    const files = ["environ", "mem", "maps", "auxv", "stack", "syscall", "io", "personality", "timers"];
    const denied = files.map((file) => `open("/proc/1/${file}", "rb").read(1)`);
    const links = ["fd", "fdinfo", "map_files", "ns"].map(
      (folder) => `[os.readlink(f) for f in os.scandir("/proc/1/${folder}")]`,
    );
    await expectDenied(
      api,
      ...denied,
      ...links,
      'os.readlink("/proc/1/cwd")',
      'os.readlink("/proc/1/exe")',
      'os.listdir("/proc/1/root")',
    );
  });
});

describe("processes", () => {
  test("are few, with the ids of a namespace of their own, and the program's parent is the first", async ({ api }) => {
    const output = await outputOf(api, "bash", "echo /proc/[0-9]*; echo $PPID; hostname");
    const [processes = "", parent, hostname] = output.trim().split("\n");
    expect(processes.split(" ").length).toBeLessThanOrEqual(3);
    expect(processes).toContain("/proc/1");
    expect(parent).toBe("1");
    expect(hostname).toBe("sandbox");
  });

  test("belong to a user without a name of power and without capabilities, and can gain none", async ({ api }) => {
    const output = await outputOf(
      api,
      "bash",
      "id -u; id -g; id -G; grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status",
    );
    const [uid, gid, groups = "", ...lines] = output.trim().split("\n");
    expect(Number(uid)).toBeGreaterThanOrEqual(1000);
    expect(gid).toBe(uid);
    expect(groups.split(" ").filter((group) => group === "0")).toEqual([]);
    const status = Object.fromEntries(lines.map((line) => line.split(/:\s+/)));
    const none = "0000000000000000";
    expect(status).toEqual({
      CapInh: none,
      CapPrm: none,
      CapEff: none,
      CapBnd: none,
      CapAmb: none,
      NoNewPrivs: "1",
      Seccomp: "2",
    });
  });

  test("have only descriptors 0, 1 and 2, which lead nowhere else", async ({ api }) => {
    const code = source`
      import os
      for fd in sorted(map(int, os.listdir("/proc/self/fd"))):
          try: print(fd, os.readlink(f"/proc/self/fd/{fd}").split(":")[0])
          except FileNotFoundError: pass
    `;
    expect(await outputOf(api, "python", code)).toBe("0 pipe\n1 pipe\n2 pipe\n");
    const compiled =
      '#include <stdio.h>\n#include <unistd.h>\n#include <fcntl.h>\nint main(void) { for (int fd = 3; fd < 4096; fd++) if (fcntl(fd, F_GETFD) != -1) printf("%d\\n", fd); }';
    expect(await outputOf(api, "c", compiled)).toBe("");
  });

  test("begin with no signal ignored or blocked", async ({ api }) => {
    const output = await outputOf(api, "bash", "grep -E '^Sig(Blk|Ign)' /proc/self/status");
    expect(output).toMatch(/SigBlk:\s0{16}\nSigIgn:\s0{16}\n/);
  });

  test("can't harm what stands above them", async ({ api }) => {
    const code = source`
      kill -9 1; kill -STOP 1; kill -TERM 1; kill -9 -1 2>/dev/null
      for i in {1..64}; do kill -$i 1 2>/dev/null; done
      echo alive
    `;
    const result = await api.run({ language: "bash", code });
    expect(["succeeded", "signaled"]).toContain(result.status);
    await expectDenied(
      api,
      "resource.prlimit(1, resource.RLIMIT_CPU, (0, 0))",
      "os.sched_setaffinity(1, [0])",
      "os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))",
      "os.setpriority(os.PRIO_PROCESS, 1, 19)",
      'call("ptrace", 16, 1, 0, 0)',
    );
    expect(await outputOf(api, "bash", "echo next")).toBe("next\n");
  });

  test("of one run are gone before the next", async ({ api }) => {
    await outputOf(
      api,
      "bash",
      "for i in 1 2 3; do (trap '' TERM HUP; setsid sleep 60 >/dev/null 2>&1 </dev/null &); done",
    );
    expect(await outputOf(api, "bash", "cat /proc/[0-9]*/comm | grep -c sleep || true")).toBe("0\n");
  });

  test("can't speak with the suite's own by signal, trace or shared memory", async ({ api }) => {
    await expectDenied(api, `os.kill(${process.pid}, 0)`, `open("/proc/${process.pid}/status").read()`);
    const output = await outputOf(
      api,
      "bash",
      "cat /proc/sysvipc/shm /proc/sysvipc/msg /proc/sysvipc/sem | grep -vc key || true",
    );
    expect(output).toBe("0\n");
  });
});

describe("the network", () => {
  const families = [
    "AF_INET",
    "AF_INET6",
    "AF_NETLINK",
    "AF_PACKET",
    "AF_VSOCK",
    "AF_ALG",
    "AF_BLUETOOTH",
    "AF_CAN",
    "AF_TIPC",
  ];

  test("has no sockets but between the program's own processes", async ({ api }) => {
    const kinds = ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW"];
    const calls = families.flatMap((family) => kinds.map((kind) => `socket.socket(socket.${family}, socket.${kind})`));
    for (const [call, outcome] of Object.entries(await attempt(api, ...calls))) expect(outcome, call).toBe("EACCES");
    const pair = 'a, b = __import__("socket").socketpair(); a.send(b"x"); print(b.recv(1))';
    expect(await outputOf(api, "python", pair)).toBe("b'x'\n");
    const path =
      's = __import__("socket").socket(1); s.bind("/tmp/s"); s.listen(); c = __import__("socket").socket(1); c.connect("/tmp/s"); print("met")';
    expect(await outputOf(api, "python", path)).toBe("met\n");
  });

  test("doesn't lead to a listener on the machine", async ({ api }) => {
    let connections = 0;
    await using listener = createServer(() => (connections += 1));
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const { port } = listener.address() as AddressInfo;
    const { port: apiPort } = new URL(api.url);
    for (const target of [port, apiPort]) {
      const result = await api.run({
        language: "bash",
        code: `exec 3<>/dev/tcp/127.0.0.1/${target} && echo connected`,
      });
      expect(result).toMatchObject({ status: "failed", stdout: "" });
      const code = `require("node:net").connect(${target}, "127.0.0.1").on("error", (e) => console.log(e.code)).on("connect", () => console.log("connected"))`;
      expect((await api.run({ language: "nodejs", code })).stdout).not.toContain("connected");
    }
    expect(connections).toBe(0);
  });

  test("doesn't lead to the machine's abstract sockets", async ({ api }) => {
    let connections = 0;
    await using listener = createServer(() => (connections += 1));
    const name = `sandbox-test-${process.pid}`;
    await new Promise<void>((resolve) => listener.listen(`\0${name}`, resolve));
    const code = `s = __import__("socket").socket(1)\ntry: s.connect("\\0${name}"); print("connected")\nexcept OSError as e: print("refused")`;
    expect(await outputOf(api, "python", code)).toBe("refused\n");
    expect(connections).toBe(0);
  });
});

describe("the file system", () => {
  test("can be written in /work, /tmp and /dev/shm and nowhere else", async ({ api }) => {
    const code = source`
      import os, stat
      places, seen = [], set()
      for folder, folders, files in os.walk("/", followlinks=False):
          if folder in ("/proc", "/usr"):
              folders[:] = []
          path = os.path.join(folder, ".probe")
          try:
              os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
              os.unlink(path)
              places.append(folder)
          except OSError:
              pass
          for name in files:
              path = os.path.join(folder, name)
              if not stat.S_ISREG(os.lstat(path).st_mode): continue
              try:
                  os.close(os.open(path, os.O_WRONLY))
                  places.append(path)
              except OSError:
                  pass
      print(*sorted(places))
    `;
    const result = await api.run({ language: "python", code });
    expect(result.stdout).toBe("/dev/shm /tmp /work /work/main.py\n");
  });

  test("is read-only, and can't be made anything else", async ({ api }) => {
    await expectDenied(
      api,
      'open("/probe", "w")',
      'open("/usr/probe", "w")',
      'open("/etc/passwd", "a")',
      'open("/opt/probe", "w")',
      'open("/proc/sys/kernel/hostname", "w").write("x")',
      'open("/proc/sysrq-trigger", "w").write("h")',
      'open("/proc/self/uid_map", "w").write("0 0 1")',
      'os.mkdir("/made")',
      'os.symlink("/etc", "/usr/link")',
      'os.chmod("/usr", 0o777)',
      'os.chown("/work", 0, 0)',
      'os.rename("/etc/passwd", "/etc/renamed")',
      'os.mknod("/tmp/disk", 0o60666, os.makedev(8, 0))',
      'os.chroot("/tmp")',
      'call("mount", b"none", b"/tmp", b"tmpfs", 0, 0)',
      'call("mount", b"none", b"/", b"none", 32 | 4096, 0)',
      'call("umount2", b"/usr", 2)',
      'call("pivot_root", b"/work", b"/work")',
    );
  });

  test("gives no program rights that its caller hasn't", async ({ api }) => {
    const code =
      "id -u; id -g; cp /bin/bash /tmp/shell && chmod 6755 /tmp/shell && /tmp/shell -p -c 'id -u'; newgrp root </dev/null; id -g";
    const [uid, gid, ...gained] = (await outputOf(api, "bash", code)).trim().split("\n");
    expect(gained).toEqual([uid, gid]);
  });

  test("shows nothing of the machine's own files", async ({ api, server }) => {
    const machine = ["/root", "/home", "/boot", "/mnt", "/media", "/srv"];
    const outcomes = await attempt(
      api,
      ...machine.map((path) => `os.path.exists(${JSON.stringify(path)}) and os.listdir(${JSON.stringify(path)})`),
    );
    for (const [path, outcome] of Object.entries(outcomes)) expect(["False", "[]", "EACCES"], path).toContain(outcome);
    await expectDenied(
      api,
      `os.listdir(${JSON.stringify(server.dataDir)})`,
      `os.listdir(${JSON.stringify(import.meta.dirname)})`,
      'open("/etc/shadow")',
      'open("/var/run/secrets/kubernetes.io/serviceaccount/token")',
    );
    const mounts = await outputOf(api, "bash", "cat /proc/mounts /proc/self/cgroup");
    expect(mounts).not.toContain(server.dataDir);
    expect(["", "sandbox\n"]).toContain(await outputOf(api, "bash", "cat /etc/hostname 2>/dev/null || true"));
  });

  test("has no devices but the harmless ones", async ({ api }) => {
    const code = 'for file in /dev/*; do if [ -b "$file" ] || [ -c "$file" ]; then echo "${file##*/}"; fi; done';
    // Those of a terminal lead nowhere where there is none.
    const terminal = BACKEND === "kubernetes" ? ["ptmx", "tty"] : ["tty"];
    const devices = (await outputOf(api, "bash", code)).trim().split("\n").toSorted();
    expect(devices).toEqual(["full", "null", "random", "urandom", "zero", ...terminal].toSorted());
  });

  test("holds nothing of another run, whether that runs or has ended", async ({ api }) => {
    const secret = "secret-of-the-first-run";
    const other = await api.submit({
      language: "bash",
      code: `echo ${secret} | tee /work/s /tmp/s /dev/shm/s; exec sleep 60`,
    });
    for await (const event of await api.events(other.id)) if (event.event === "output") break;
    const search =
      "ls -A /tmp /dev/shm /work; grep -rs secret-of /tmp /work /dev/shm /proc/*/root/tmp /proc/*/cwd/ | grep -v main.sh; true";
    expect(await outputOf(api, "bash", search)).toBe("/dev/shm:\n\n/tmp:\n\n/work:\nmain.sh\n");
    await api.cancel(other.id);
    expect(await outputOf(api, "bash", search)).toBe("/dev/shm:\n\n/tmp:\n\n/work:\nmain.sh\n");
  });

  test("runs what the program brings along, from its own folder", async ({ api }) => {
    const files = [
      { name: "main.sh", content: "chmod +x bin/tool && bin/tool; pwd" },
      { name: "bin/tool", content: "#!/bin/sh\necho tool\n" },
    ];
    expect(await api.run({ language: "bash", files })).toMatchObject({ stdout: "tool\n/work\n" });
  });
});

describe("the kernel", () => {
  /** Numbers are the same on every architecture from 424 on; the others go by the C library's names. */
  test("refuses what a program has no use for, with an error and not with death", async ({ api }) => {
    await expectDenied(
      api,
      'call("unshare", 0x10000000)',
      'call("unshare", 0x00020000)',
      'call("unshare", 0x40000000)',
      'call("setns", 0, 0)',
      'call("swapon", b"/tmp/x", 0)',
      'call("reboot", 0x89abcdef)',
      'call("acct", b"/tmp/x")',
      'call("init_module", 0, 0, b"")',
      'call("delete_module", b"x", 0)',
      'call("sethostname", b"x", 1)',
      'call("klogctl", 3, 0, 0)',
      'call("process_vm_readv", 1, 0, 0, 0, 0, 0)',
      'call("name_to_handle_at", -100, b"/", 0, 0, 0)',
      'call("open_by_handle_at", 0, 0, 0)',
      "syscall(425, 1, 0)",
      "syscall(438, 0, 0, 0)",
      "syscall(435, 0, 0)",
      "syscall(428, -100, b'/', 0)",
      "syscall(430, b'tmpfs', 0)",
      "syscall(442, -100, b'/', 0, 0, 0)",
    );
  });

  test("makes no namespaces for programs", async ({ api }) => {
    for (const option of ["--user", "--mount", "--net", "--pid --fork", "--ipc", "--uts", "--cgroup"]) {
      const result = await api.run({ language: "bash", code: `unshare ${option} true` });
      expect(result, option).toMatchObject({ status: "failed" });
    }
  });
});

describe("the verdict", () => {
  test("can't be forged by what the program prints", async ({ api }) => {
    const frames = [
      '{"seq":0,"type":"started","stage":"run"}',
      '{"seq":1,"type":"ended","stage":"run","exit_code":0,"signal":null,"error":null,"limit":null,"wall_us":1,"cpu_us":1,"memory_bytes":1,"stdout_truncated":false,"stderr_truncated":false}',
      '{"seq":2,"type":"finished"}',
    ].join("\n");
    const code = `cat <<'END'\n\n${frames}\nEND\nfor fd in /proc/1/fd/* /proc/$PPID/fd/1 /dev/stdout; do echo forged > $fd; done 2>/dev/null\nexit 7`;
    const result = await api.run({ language: "bash", code });
    expect(result).toMatchObject({ status: "failed", exit_code: 7 });
    expect(result.stdout).toBe(`\n${frames}\nforged\n`);
  });

  test("isn't changed by a compiler's output that is a link, a pipe or nothing", async ({ api }) => {
    const c = (shell: string) => `int main(void) { return 0; }\n__asm__(".incbin \\"/etc/shadow\\"");\n// ${shell}`;
    expect(await api.run({ language: "c", code: c("") })).toMatchObject({ status: "compile_failed", run: null });
    const files = [
      { name: "main.c", content: "int main(void) { return 5; }" },
      { name: "program/x", content: "the compiler's output is a folder" },
    ];
    expect(await api.run({ language: "c", files })).toMatchObject({ status: "compile_failed", run: null });
  });
});
