import { describe, expect, test } from "vitest";
import { BINARIES } from "./binaries.ts";
import { last } from "./frames.ts";
import { execute } from "./sandbox.ts";

/** Prints each family, kind and protocol of which the filter lets a socket be asked for, whatever the kernel says to it. */
const SOCKETS = `
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for family in range(64):
    for kind in range(12):
        for protocol in (0, 1, 2, 4, 6, 15, 16, 17, 33, 58, 132, 136, 255, 262):
            flags = 0o2004000 if protocol % 2 else 0
            fd = libc.socket(family, kind | flags, protocol)
            if fd >= 0: libc.close(fd)
            if family != 1 and (fd >= 0 or ctypes.get_errno() != errno.EACCES): print(family, kind, protocol)
pair = (ctypes.c_int * 2)()
print([family for family in range(64) if libc.socketpair(family, 1, 0, pair) == 0])
`;

const [STREAM, DATAGRAM] = [1, 2];
const [IPV4, IPV6, NETLINK] = [2, 10, 16];
const KINDS = Array.from({ length: 12 }, (_, kind) => kind);

async function socketsOf(network: boolean, binary: (typeof BINARIES)[number]): Promise<string[]> {
  const outcome = await execute({ network, stages: [{ command: ["python3", "-c", SOCKETS] }] }, { binary });
  expect(last(outcome)).toMatchObject({ exit_code: 0 });
  return last(outcome).stdout.toString().trim().split("\n");
}

describe.each(BINARIES)("sockets (%s)", (binary) => {
  test("are those of one machine alone", async () => {
    expect(await socketsOf(false, binary)).toEqual(["[1]"]);
  });

  test("with a network are also those of TCP and UDP, and those that tell of addresses", async () => {
    const internet = [IPV4, IPV6].flatMap((family) =>
      [STREAM, DATAGRAM].flatMap((kind) => [0, 6, 17].map((protocol) => `${family} ${kind} ${protocol}`)),
    );
    const route = KINDS.map((kind) => `${NETLINK} ${kind} 0`);
    expect(await socketsOf(true, binary)).toEqual([...internet, ...route, "[1]"]);
  });
});
