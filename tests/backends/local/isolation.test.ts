import { expect } from "vitest";

import { contractTest } from "../../support/contract.ts";

const test = contractTest({ CPU_LIMIT: "1" });

/** What a sandbox of this backend does not have, and one that somebody else sets up, such as a Pod, does. */

test("there is no interface, address or route, and no /sys", async ({ api }) => {
  const code =
    "cat /proc/net/route /proc/net/tcp /proc/net/tcp6 /proc/net/unix | grep -vcE '^ *(sl|Num|Iface)'; ls /sys 2>&1; true";
  const { stdout } = await api.run({ language: "bash", code });
  expect(stdout).toMatch(/^0\n/);
  expect(stdout).not.toMatch(/class|devices/);
});

test("there is nothing of the machine's /var, and no host name of its own", async ({ api }) => {
  const code = "for path in /var /etc/hostname; do [ ! -e $path ] || ls -A $path; done";
  expect(await api.run({ language: "bash", code })).toMatchObject({ status: "succeeded", stdout: "" });
});

test("the user is number 1000, whoever the server is", async ({ api }) => {
  expect(await api.run({ language: "bash", code: "id -u; id -g" })).toMatchObject({ stdout: "1000\n1000\n" });
});
