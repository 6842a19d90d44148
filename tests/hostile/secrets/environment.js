// tries: the service's environment and arguments, and those of the process above
// outcomes: [succeeded]
// limits: { wall_ms: 5000 }
const { readdirSync, readFileSync } = require("node:fs");

console.log(process.env, process.argv, process.execArgv, process.config, process.report.getReport());
for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
  for (const file of ["environ", "cmdline", "stat", "mountinfo", "cgroup"]) {
    try {
      console.log(readFileSync(`/proc/${pid}/${file}`, "latin1"));
    } catch {}
  }
}
