import type { Case, Goal, Throughput } from "./figures.ts";
import type { Quantiles } from "./measure.ts";
import { ratioText, threeDigits } from "./report.ts";

/** One line of the picture: times relative to what the bare toolchain takes at p50. */
interface Row {
  name: string;
  ratio: number;
  /** Only the mean is known where there is no spread. */
  ours: Quantiles | undefined;
  bare: Quantiles | undefined;
  bubblewrap: number | undefined;
  goal: number | undefined;
  /** Of ours and of bare, with their unit. */
  times: string;
}

interface Section {
  heading: string;
  rows: Row[];
}

const WIDTH = 920;
const [PLOT_LEFT, PLOT_RIGHT] = [232, 716];
const [RATIO_X, TIMES_X] = [772, 788];
const [ROWS_TOP, HEADING_HEIGHT, ROW_HEIGHT] = [142, 34, 27];
/** A decade or about half of one apart, and 0.5 and 2 beside 1, where most marks are. */
const TICKS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

const STYLE = `
    svg { --surface: #fff; --edge: #d1d9e0; --grid: #eaeef2; --text: #1f2328; --muted: #59636e;
      --ours: #0969da; --bare: #8c959f; --goal: #1a7f37; }
    @media (prefers-color-scheme: dark) { svg { --surface: #0d1117; --edge: #3d444d; --grid: #21262d; --text: #f0f6fc;
      --muted: #9198a1; --ours: #4493f8; --bare: #818b98; --goal: #3fb950; } }
    text { font: 13px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: var(--text); }
    .title { font-size: 18px; font-weight: 600; } .heading { font-weight: 600; } .strong { font-weight: 600; }
    .small { font-size: 12px; } .muted { fill: var(--muted); } .end { text-anchor: end; } .middle { text-anchor: middle; }
    .card { fill: var(--surface); stroke: var(--edge); } .grid { stroke: var(--grid); } .one { stroke: var(--muted); }
    .ours { stroke: var(--ours); fill: var(--ours); } .bare { stroke: var(--bare); fill: var(--bare); }
    .bubblewrap { stroke: var(--text); fill: var(--surface); stroke-width: 1.5; } .goal { stroke: var(--goal); stroke-width: 2.5; }
    .near { stroke-width: 5; } .far { stroke-width: 1.5; }`;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function escaped(words: string): string {
  return words.replaceAll(/[&<>]/g, (character) => ENTITIES[character] ?? character);
}

function text(x: number, y: number, words: string, classes = ""): string {
  return `<text x="${x}" y="${y}"${classes === "" ? "" : ` class="${classes}"`}>${escaped(words)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, classes: string): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${classes}"/>`;
}

function dot(x: number, y: number, radius: number, classes: string): string {
  return `<circle cx="${x}" cy="${y}" r="${radius}" class="${classes}"/>`;
}

function over({ p50, p90, p99 }: Quantiles, divisor: number): Quantiles {
  return { p50: p50 / divisor, p90: p90 / divisor, p99: p99 / divisor };
}

function goalRatio(goal: Goal | undefined, bareMs: number): number | undefined {
  if (goal === undefined) return undefined;
  return "ms" in goal ? goal.ms / bareMs : goal.ratio;
}

function caseRow({ name, bareMs, oursMs, bubblewrapMs, ratio, goal }: Case): Row {
  return {
    name,
    ratio,
    ours: over(oursMs, bareMs.p50),
    bare: over(bareMs, bareMs.p50),
    bubblewrap: bubblewrapMs === undefined ? undefined : bubblewrapMs.p50 / bareMs.p50,
    goal: goalRatio(goal, bareMs.p50),
    times: `${threeDigits(oursMs.p50)} / ${threeDigits(bareMs.p50)} ms`,
  };
}

/** Of a rate, the time that one run takes of all: a lower rate is a longer time, as in all other rows. */
function throughputRow({ name, barePerSecond, oursPerSecond, ratio, goal }: Throughput): Row {
  return {
    name,
    ratio: 1 / ratio,
    ours: undefined,
    bare: undefined,
    bubblewrap: undefined,
    goal: goal === undefined || "ms" in goal ? undefined : 1 / goal.ratio,
    times: `${threeDigits(1000 / oursPerSecond)} / ${threeDigits(1000 / barePerSecond)} ms`,
  };
}

function sectionsOf(cases: readonly Case[], throughput: readonly Throughput[]): Section[] {
  const rows = (group: Case["group"]): Row[] => cases.filter((each) => each.group === group).map(caseRow);
  return [
    { heading: "One after the other", rows: rows("interpreters") },
    { heading: "Compiled: for the first time, and again", rows: rows("compilers") },
    { heading: `${throughput[0]?.clients ?? 0} at once: mean time a run`, rows: throughput.map(throughputRow) },
    { heading: "On a cluster, against a bare Job", rows: rows("cluster") },
  ].filter((section) => section.rows.length > 0);
}

/** Where a ratio is, on a logarithmic scale that holds all of them; and its ticks. */
function scaleFor(rows: readonly Row[]): { x: (ratio: number) => number; ticks: number[] } {
  const ratios = rows.flatMap(({ ratio, ours, bare, bubblewrap, goal }) =>
    [ratio, ours?.p50, ours?.p99, bare?.p99, bubblewrap, goal].filter((value) => value !== undefined),
  );
  const [least, most] = [Math.min(0.5, ...ratios), Math.max(2, ...ratios)];
  const low = TICKS.findLast((tick) => tick <= least) ?? least;
  const high = TICKS.find((tick) => tick >= most) ?? most;
  const perDecade = (PLOT_RIGHT - PLOT_LEFT) / Math.log10(high / low);
  return {
    x: (ratio) => Math.round(10 * (PLOT_LEFT + perDecade * Math.log10(ratio / low))) / 10,
    ticks: TICKS.filter((tick) => tick >= low && tick <= high),
  };
}

/** A dot at p50, a thick line to p90 and a thin one to p99. */
function spread(values: Quantiles, x: (ratio: number) => number, y: number, radius: number, side: string): string {
  const [p50, p90, p99] = [x(values.p50), x(values.p90), x(values.p99)];
  return [line(p90, y, p99, y, `${side} far`), line(p50, y, p90, y, `${side} near`), dot(p50, y, radius, side)].join(
    "",
  );
}

function drawRow(row: Row, x: (ratio: number) => number, middle: number): string {
  const [oursY, bareY] = row.bare === undefined ? [middle, middle] : [middle - 4, middle + 6];
  const parts = [text(36, middle + 5, row.name)];
  if (row.bare !== undefined) parts.push(spread(row.bare, x, bareY, 3, "bare"));
  if (row.bubblewrap !== undefined) parts.push(dot(x(row.bubblewrap), oursY, 4, "bubblewrap"));
  if (row.goal !== undefined) parts.push(line(x(row.goal), middle - 11, x(row.goal), middle + 11, "goal"));
  parts.push(
    row.ours === undefined ? dot(x(row.ratio), oursY, 5.5, "ours") : spread(row.ours, x, oursY, 5.5, "ours"),
    text(RATIO_X, middle + 5, ratioText(row.ratio), "end strong"),
    text(TIMES_X, middle + 5, row.times, "small muted"),
  );
  return `<g>${parts.join("")}</g>`;
}

function legend(y: number): string {
  const sample = { p50: 0, p90: 26, p99: 52 };
  const at = (left: number) => (value: number) => left + value;
  return [
    spread(sample, at(34), y, 5.5, "ours"),
    text(94, y + 5, "this service: p50, p90, p99", "small"),
    spread(sample, at(284), y, 3, "bare"),
    text(344, y + 5, "bare toolchain", "small"),
    dot(464, y, 4, "bubblewrap"),
    text(476, y + 5, "plain bubblewrap, p50", "small"),
    line(630, y - 9, 630, y + 9, "goal"),
    text(640, y + 5, "goal for p50", "small"),
    text(RATIO_X, y + 5, "ratio", "small end strong"),
    text(TIMES_X, y + 5, "ours / bare", "small muted"),
  ].join("");
}

function sentence({ name, ratio, times, goal }: Row): string {
  const aim = goal === undefined ? "" : `, goal ${ratioText(goal)}`;
  return `${name}: ${ratioText(ratio)} (${times}${aim}).`;
}

function axis(ticks: readonly number[], x: (ratio: number) => number, bottom: number): string {
  return ticks
    .map((tick) => {
      const grid = line(x(tick), ROWS_TOP - 8, x(tick), bottom, tick === 1 ? "one" : "grid");
      return `${grid}${text(x(tick), bottom + 18, String(tick), tick === 1 ? "small middle strong" : "small middle muted")}`;
    })
    .join("\n  ");
}

/** All cases as one picture, an SVG that follows the reader's light or dark scheme. */
export function chart(cases: readonly Case[], throughput: readonly Throughput[]): string {
  const sections = sectionsOf(cases, throughput);
  const rows = sections.flatMap((section) => section.rows);
  const { x, ticks } = scaleFor(rows);
  const drawn: string[] = [];
  const words: string[] = [];
  let y = ROWS_TOP;
  for (const section of sections) {
    drawn.push(text(24, y + 20, section.heading, "heading"));
    words.push(`${section.heading}.`, ...section.rows.map(sentence));
    y += HEADING_HEIGHT;
    for (const row of section.rows) {
      drawn.push(drawRow(row, x, y + ROW_HEIGHT / 2));
      y += ROW_HEIGHT;
    }
  }
  const height = y + 58;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title desc">
  <title id="title">What a run takes, relative to the bare toolchain</title>
  <desc id="desc">Ratios of the medians; below 1 a run takes less than the bare toolchain. ${escaped(words.join(" "))}</desc>
  <style>${STYLE}
  </style>
  <rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" class="card"/>
  ${text(24, 38, "What a run takes, relative to the bare toolchain", "title")}
  ${text(24, 60, "From the request to the whole answer, over the median of interpreter or compiler alone, measured in turn. Left of 1 is faster.", "muted")}
  ${legend(96)}
  ${axis(ticks, x, y + 8)}
  ${drawn.join("\n  ")}
  ${text((PLOT_LEFT + PLOT_RIGHT) / 2, height - 14, "times the bare toolchain's median, logarithmic", "small middle muted")}
</svg>
`;
}
