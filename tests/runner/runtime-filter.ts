import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SandboxOptions } from "./sandbox.ts";

/** Numbers of system calls that differ between architectures. */
const CALLS =
  process.arch === "arm64" ? { prctl: 167, prlimit: 261, seccomp: 277 } : { prctl: 157, prlimit: 302, seccomp: 317 };

// What a filter is made of, by include/uapi/linux/bpf_common.h and seccomp.h.
const [LOAD, EQUALS, GREATER_OR_EQUAL, HAS_BITS, RETURN] = [0x20, 0x15, 0x35, 0x45, 0x06];
const ALLOW = 0x7fff0000;
const ERRNO = 0x50000;
const [EPERM, EINVAL, ENOSYS] = [1, 22, 38];
const NUMBER = 0;
const argument = (index: number): number => 16 + 8 * index;

type Instruction = readonly [code: number, operand: number, whenTrue?: number, whenFalse?: number];

function assemble(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(8 * instructions.length);
  instructions.forEach(([code, operand, whenTrue = 0, whenFalse = 0], index) => {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(whenTrue, 8 * index + 2);
    bytes.writeUInt8(whenFalse, 8 * index + 3);
    bytes.writeUInt32LE(operand, 8 * index + 4);
  });
  return bytes;
}

/** From `pidfd_send_signal` on, calls have one number on every architecture. */
const FIRST_NEW_CALL = 424;

/** Refuses every call that came with Linux 5.1 or later, in the one or the other way. */
function refuseNewCalls(error: number): Instruction[] {
  return [
    [LOAD, NUMBER],
    [GREATER_OR_EQUAL, FIRST_NEW_CALL, 0, 1],
    [RETURN, ERRNO + error],
  ];
}

const MSGQUEUE = 12;
const CAP_AMBIENT = 47;
/** SECCOMP_FILTER_FLAG_NEW_LISTENER and TSYNC_ESRCH. */
const NEW_FLAGS = 8 + 16;

/** What gVisor doesn't have, and how it says so. */
const LIKE_GVISOR: Instruction[] = [
  ...refuseNewCalls(ENOSYS),
  [EQUALS, CALLS.seccomp, 0, 3],
  [LOAD, argument(1)],
  [HAS_BITS, NEW_FLAGS, 0, 1],
  [RETURN, ERRNO + EINVAL],
  [LOAD, NUMBER],
  [EQUALS, CALLS.prctl, 0, 3],
  [LOAD, argument(0)],
  [EQUALS, CAP_AMBIENT, 0, 1],
  [RETURN, ERRNO + EINVAL],
  [LOAD, NUMBER],
  [EQUALS, CALLS.prlimit, 0, 5],
  [LOAD, argument(1)],
  [EQUALS, MSGQUEUE, 0, 3],
  [LOAD, argument(2)],
  [EQUALS, 0, 1, 0],
  [RETURN, ERRNO + EPERM],
];

const FILTERS = {
  /** A container runtime of before Linux 5.1. */
  old: refuseNewCalls(EPERM),
  gvisor: LIKE_GVISOR,
} satisfies Record<string, Instruction[]>;

/** Options for a sandbox whose runner starts under a container runtime's filter; ends with the `using` block. */
export class RuntimeFilter implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "runner-filter-"));
  readonly #descriptor: number;

  constructor(name: keyof typeof FILTERS) {
    const path = join(this.#folder, "filter");
    writeFileSync(path, assemble([...FILTERS[name], [RETURN, ALLOW]]));
    this.#descriptor = openSync(path, "r");
  }

  get options(): SandboxOptions {
    return { descriptors: [this.#descriptor], bubblewrap: ["--seccomp", "3"] };
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
    rmSync(this.#folder, { recursive: true });
  }
}

/**
 * A command that executes its arguments under a filter with a listener, which it keeps: a container runtime that answers
 * calls itself. Nothing is asked for but a number that is no call's.
 */
export const WITH_LISTENER = [
  "/usr/bin/python3",
  "-c",
  `import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
NO_NEW_PRIVS, SET_MODE_FILTER, NEW_LISTENER, NO_CALL = 38, 1, 8, 9999
instructions = [(${LOAD}, 0, 0, ${NUMBER}), (${EQUALS}, 0, 1, NO_CALL), (${RETURN}, 0, 0, 0x7fc00000), (${RETURN}, 0, 0, ${ALLOW})]
text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in instructions))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(instructions), ctypes.addressof(text)))
libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
listener = libc.syscall(${CALLS.seccomp}, SET_MODE_FILTER, NEW_LISTENER, program)
if listener < 0: sys.exit(os.strerror(ctypes.get_errno()))
child = os.fork()
if child == 0: os.execv(sys.argv[1], sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))`,
];
