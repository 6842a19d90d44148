// tries: workers that never end, beside a program that has
// outcomes: [time_limit, cpu_limit]
// limits: { wall_ms: 1500, cpu_ms: 1200, processes: 64 }
const { Worker } = require("node:worker_threads");

for (let count = 0; count < 4; count += 1) new Worker("for (;;);", { eval: true });
