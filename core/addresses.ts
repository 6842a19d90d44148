import { BlockList, isIP } from "node:net";

/**
 * IPv4 ranges that are no one's on the public Internet, or that lead to somebody else's network:
 * https://www.iana.org/assignments/iana-ipv4-special-registry, with multicast and what is reserved.
 */
export const SPECIAL_IPV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

/** All of IPv6 that is public: https://www.iana.org/assignments/ipv6-unicast-address-assignments */
const PUBLIC_IPV6 = "2000::/3";
/**
 * What of it is not: https://www.iana.org/assignments/iana-ipv6-special-registry. Teredo (of 2001::/23) and 6to4 (2002::/16)
 * carry IPv4 addresses, which may be anyone's.
 */
const SPECIAL_IPV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/** A set of addresses, made of single ones and of ranges such as `10.0.0.0/8`. */
export class AddressSet {
  readonly #list = new BlockList();

  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = "", prefix] = range.split("/");
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  /** Whether the address is one of them; one with a zone (`fe80::1%eth0`) is in no range. */
  has(address: string): boolean {
    const version = isIP(address);
    if (version === 0 || address.includes("%")) return false;
    return this.#list.check(address, version === 6 ? "ipv6" : "ipv4");
  }
}

const specialIpv4 = new AddressSet(SPECIAL_IPV4);
const publicIpv6 = new AddressSet([PUBLIC_IPV6]);
const specialIpv6 = new AddressSet(SPECIAL_IPV6);

/**
 * Whether the address is somebody's on the public Internet: not of this machine, of a private network, of a link, of a group,
 * or an IPv4 address in the clothes of an IPv6 one.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !specialIpv4.has(address);
    case 6:
      return publicIpv6.has(address) && !specialIpv6.has(address);
    default:
      return false;
  }
}
