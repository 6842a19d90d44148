import { constants, accessSync } from "node:fs";
import { networkInterfaces } from "node:os";

import { SPECIAL_IPV4 } from "../../core/addresses.ts";
import { StartError } from "../../core/errors.ts";

/** What a sandbox's network is made with, and of. */
export interface SandboxNetwork {
  /** Paths of programs. */
  nft: string;
  relay: string;
  /** The addresses that the sandbox has for itself. */
  range: string;
  /** What may leave it, for nft. */
  rules: string;
}

/** Folders in which Debian has them. */
const FOLDERS = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
/**
 * The sandbox's own range: of those for benchmarks of routers (RFC 2544), where nobody's machine is. Its third address is the
 * one at which slirp4netns answers for the machine's resolver (slirp4netns(1)).
 */
const RANGE = "198.18.0.0/24";
export const NAMESERVER = "198.18.0.3";
/** More would not fit into one request to the launcher. */
const MAX_RANGES = 256;
/** The interface that slirp4netns makes. */
const INTERFACE = "tap0";

function find(program: string): string {
  const path = FOLDERS.map((folder) => `${folder}/${program}`).find((each) => {
    try {
      accessSync(each, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (path !== undefined) return path;
  throw new StartError(
    `ALLOW_NETWORK=true needs ${program}, which is not there: run scripts/setup with ALLOW_NETWORK=true, or install slirp4netns and nftables`,
  );
}

/** The machine's own IPv4 addresses, under which its services could be met, the API's among them. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return [...new Set(all.filter(({ family }) => family === "IPv4").map(({ address }) => address))];
}

/**
 * How sandboxes reach other machines: IPv4 by TCP and UDP to public addresses and to the ranges that the operator allows,
 * never this machine, whatever its addresses are, and names by the machine's own resolver. Sandboxes reach one another no
 * more than others do.
 */
export class LocalNetwork {
  readonly #nft: string;
  readonly #relay: string;
  readonly #ranges: readonly string[];

  /** Throws `StartError` without the programs and the rights that it needs. */
  constructor(ranges: readonly string[]) {
    if (process.getuid?.() !== 0)
      throw new StartError("ALLOW_NETWORK=true needs a server that is root, with BACKEND=local");
    this.#nft = find("nft");
    this.#relay = find("slirp4netns");
    const other = ranges.find((range) => range.includes(":"));
    if (other !== undefined) {
      throw new StartError(`NETWORK_RANGES: ${other} is not of IPv4, which is all that sandboxes have on one machine`);
    }
    if (ranges.length > MAX_RANGES) throw new StartError(`NETWORK_RANGES has more than ${MAX_RANGES} ranges`);
    this.#ranges = ranges;
  }

  /** That of a sandbox that is started now. */
  sandbox(): SandboxNetwork {
    return { nft: this.#nft, relay: this.#relay, range: RANGE, rules: this.#rules() };
  }

  #rules(): string {
    const internet = `oifname "${INTERFACE}" meta nfproto ipv4 meta l4proto { tcp, udp }`;
    const lines = [
      'oifname "lo" accept',
      ...ownAddresses().map((address) => `ip daddr ${address} drop`),
      `ip daddr 127.0.0.0/8 drop`,
      ...["tcp", "udp"].map((protocol) => `ip daddr ${NAMESERVER} ${protocol} dport 53 accept`),
      `ip daddr ${RANGE} drop`,
      ...this.#ranges.map((range) => `ip daddr ${range} ${internet} accept`),
      ...SPECIAL_IPV4.map((range) => `ip daddr ${range} drop`),
      `${internet} accept`,
    ];
    const chain = `chain output { type filter hook output priority filter; policy drop; ${lines.join("; ")}; }`;
    return `table inet sandbox { ${chain}; }\n`;
  }
}
