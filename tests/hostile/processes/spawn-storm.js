// tries: starting programs as fast as the event loop turns
// outcomes: [process_limit]
// limit: processes
// limits: { processes: 32, wall_ms: 8000 }
// elsewhere:
//   gvisor: { outcomes: [process_limit, succeeded], reason: gVisor tells nobody that it refused a process }
const { spawn } = require("node:child_process");

function storm() {
  spawn("sleep", ["1000"], { detached: true, stdio: "ignore" }).on("error", () => process.exit(0));
  setImmediate(storm);
}
storm();
