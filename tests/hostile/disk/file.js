// tries: one file without end
// outcomes: [succeeded]
// stdout: "(EFBIG|ENOSPC)\n"
// limits: { work_bytes: 2097152, file_bytes: 1048576, wall_ms: 5000 }
const { openSync, writeSync } = require("node:fs");

process.on("SIGXFSZ", () => {});
const file = openSync("/tmp/big", "w");
try {
  for (;;) writeSync(file, Buffer.alloc(65536));
} catch (error) {
  console.log(error.code);
}
