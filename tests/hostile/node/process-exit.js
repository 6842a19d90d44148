// tries: never ending, by listeners to its end
// outcomes: [time_limit, cpu_limit]
// limits: { wall_ms: 1000 }
process.on("exit", () => {
  for (;;);
});
process.on("SIGTERM", () => {});
process.exit(0);
