// tries: looking up names and listening to a debugger
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { wall_ms: 6000 }
import { open, url } from "node:inspector";
import { lookup } from "node:dns/promises";

const found: string | undefined = await lookup("name.invalid").then(({ address }) => address, () => undefined);
if (found !== undefined) console.log("ESCAPED", found);
try {
  open(0, "127.0.0.1");
} catch {}
if (url() !== undefined) console.log("ESCAPED");
console.log("went on");
