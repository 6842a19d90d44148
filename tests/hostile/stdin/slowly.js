// tries: reading a byte now and then, longer than it may
// outcomes: [time_limit]
// limit: wall
// stdin: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
// stdin_repeated: 16000
// limits: { wall_ms: 600 }
const { readSync } = require("node:fs");

setInterval(() => readSync(0, Buffer.alloc(1)), 50);
