import { expect, test } from "vitest";

import { AddressSet, isPublicAddress } from "../../core/addresses.ts";

test.for([
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.8",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:8.8.8.8",
  "::127.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b:1::a00:1",
  "100::1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "fe80::1%lo",
  "fec0::1",
  "ff02::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "3fff::1",
  "localhost",
  "127.1",
  "",
])("%s is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.for([
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "223.255.255.255",
  "2606:4700::1111",
  "2a00:1450::1",
])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test("a set has single addresses and ranges, also by an IPv4 address written as IPv6", () => {
  const set = new AddressSet(["10.0.0.0/8", "192.0.2.7", "fd00::/8", "::1"]);
  for (const address of ["10.1.2.3", "192.0.2.7", "fd00::5", "::1", "::ffff:10.1.2.3"]) {
    expect(set.has(address), address).toBe(true);
  }
  for (const address of ["11.0.0.0", "192.0.2.8", "fe80::1", "fd00::1%eth0", "::2", "no address"]) {
    expect(set.has(address), address).toBe(false);
  }
});
