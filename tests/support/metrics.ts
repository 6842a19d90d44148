type Labels = Readonly<Record<string, string>>;

interface Sample {
  name: string;
  labels: Labels;
  value: number;
}

/** What `/metrics` says at one moment. */
export interface Metrics {
  readonly text: string;
  /** The sum of all samples called `name` that have these labels. */
  sum(name: string, labels?: Labels): number;
}

function parseSample(line: string): Sample {
  const [, name, labelled = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/.exec(line) ?? [];
  if (name === undefined) throw new Error(`this is no sample of the Prometheus text format: ${line}`);
  const labels = [...labelled.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text]);
  return { name, labels: Object.fromEntries(labels), value: Number(value) };
}

/** Parses the Prometheus text format. */
export function readMetrics(text: string): Metrics {
  const samples = text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(parseSample);
  return {
    text,
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
        .reduce((total, sample) => total + sample.value, 0),
  };
}
