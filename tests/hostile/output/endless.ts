// tries: text that grows tenfold with each way of writing it down
// outcomes: [output_limit]
// limit: output
// limits: { output_bytes: 60000, wall_ms: 5000 }
const controls: string = "\u0000\u001b\u0007\\\"\u2028".repeat(1000);
const flood = (): void => {
  process.stdout.write(controls);
  setImmediate(flood);
};
flood();
