import { execFile } from "node:child_process";
import { join } from "node:path";

import { z } from "zod";

import { RESULT } from "../answers.ts";
import type { Result } from "../answers.ts";
import type { RequestBody } from "../client.ts";
import type { Settings } from "../server.ts";
import { CLOSED, MACHINE, OUTSIDE } from "./places.ts";

const UNSHARE = "/usr/bin/unshare";
const MACHINES_MS = 120_000;
const here = (name: string): string => join(import.meta.dirname, name);

/**
 * Two network namespaces that lead nowhere but to each other, gone with the script: the machine with the server, and the other
 * one with addresses of every kind.
 */
const SCRIPT = `
set -eu
node=$1 outside=$2 server=$3
ip link set lo up
unshare -n sleep infinity &
other=$!
trap 'kill $other $listener 2>/dev/null' EXIT
listener=
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
ip link add near type veth peer name far
ip link set far netns $other
ip addr add ${MACHINE}/24 dev near
ip link set near up
nsenter -t $other -n ip link set lo up
nsenter -t $other -n ip addr add ${OUTSIDE}/24 dev far
nsenter -t $other -n ip link set far up
for address in ${CLOSED.join(" ")}; do
  nsenter -t $other -n ip addr add $address/32 dev far
  ip route add $address via ${OUTSIDE}
done
mount -t tmpfs shared /mnt
mount --make-shared /mnt
mkdir /mnt/below
mount -t tmpfs below /mnt/below
echo nameserver ${OUTSIDE} >/tmp/resolv.conf.$$
mount --bind /tmp/resolv.conf.$$ "$(readlink -f /etc/resolv.conf)"
rm /tmp/resolv.conf.$$
coproc outside { exec nsenter -t $other -n "$node" "$outside"; }
listener=$!
read -r _ <&"\${outside[0]}"
"$node" "$server"
mountpoint -q /mnt/below || { echo a shared mount is gone >&2; exit 1; }
`;

const ANSWER = z.object({ results: z.array(RESULT), output: z.string() });

/** The results of requests to a server on a machine of its own; for root. Without requests, a start that is refused. */
export async function onMachines(
  settings: Settings,
  requests: readonly RequestBody[],
): Promise<{ results: Result[]; output: string }> {
  const words = ["-nm", "bash", "-c", SCRIPT, "machines", process.execPath, here("outside.ts"), here("server.ts")];
  const answer = await new Promise<string>((resolve, reject) => {
    const child = execFile(UNSHARE, words, { timeout: MACHINES_MS }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stdout}${stderr}`));
    });
    child.stdin?.end(JSON.stringify({ settings, requests }));
  });
  return ANSWER.parse(JSON.parse(answer));
}
