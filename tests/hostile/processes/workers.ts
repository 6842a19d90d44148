// tries: workers that each start workers
// outcomes: [process_limit, memory_limit, time_limit, signaled]
// limits: { processes: 40, wall_ms: 2500 }
import { Worker } from "node:worker_threads";

const grow: string = `
  const { Worker } = require("node:worker_threads");
  setInterval(() => new Worker(${JSON.stringify("setInterval(() => {}, 1000)")}, { eval: true }).on("error", () => {}), 20);
`;
for (let count = 0; count < 4; count += 1) new Worker(grow, { eval: true }).on("error", () => {});
