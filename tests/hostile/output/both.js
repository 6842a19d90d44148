// tries: both streams at once, without waiting for either
// outcomes: [output_limit]
// limit: output
// limits: { output_bytes: 100000, wall_ms: 5000 }
const flood = () => {
  process.stdout.write("o".repeat(10_000));
  process.stderr.write("e".repeat(10_000));
  setImmediate(flood);
};
flood();
