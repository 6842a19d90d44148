// tries: the service's environment
// outcomes: [succeeded]
// limits: { wall_ms: 5000 }
import { execSync } from "node:child_process";

const all: NodeJS.ProcessEnv = process.env;
console.log(all, execSync("env; cat /proc/*/environ 2>/dev/null || true").toString());
