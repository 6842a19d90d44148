import { LIMITS, LIMIT_NAMES } from "../../core/limits.ts";
import type { Case, EventLoop, Figures, Footprint, Goal, LiveFigures, Machine, Throughput } from "./figures.ts";
import { SERVER_GOALS } from "./goals.ts";
import type { Quantiles } from "./measure.ts";

/** Rows below headings as a table of Markdown, the first column to the left and the others to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((_, column) =>
    Math.max(4, ...[headings, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string => {
    const cells = widths.map((width, column) => {
      const cell = row[column] ?? "";
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${cells.join(" | ")} |`;
  };
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(headings), line(rule), ...rows.map(line)].join("\n");
}

/** Three digits, which is as much as a noisy machine gives. */
export function threeDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function percentiles({ p50, p90, p99 }: Quantiles): string {
  return [p50, p90, p99].map(threeDigits).join(" / ");
}

/** A ratio with two digits after the point, or as many as show it. */
export function ratioText(ratio: number): string {
  return ratio.toFixed(ratio < 0.01 ? 3 : 2);
}

function goalText(goal: Goal | undefined, bound: string): string {
  if (goal === undefined) return "";
  return "ms" in goal ? `${bound} ${goal.ms} ms` : `${bound} ${goal.ratio.toFixed(2)}`;
}

function caseTable(cases: readonly Case[], first: string): string {
  const bubblewrap = cases.some(({ bubblewrapMs }) => bubblewrapMs !== undefined);
  const headings = [first, "samples", "bare", "ours", "ratio", "goal", ...(bubblewrap ? ["plain bubblewrap"] : [])];
  return table(
    headings,
    cases.map(({ name, samples, bareMs, oursMs, ratio, goal, bubblewrapMs }) => [
      name,
      String(samples),
      percentiles(bareMs),
      percentiles(oursMs),
      ratioText(ratio),
      goalText(goal, "≤"),
      bubblewrapMs === undefined ? "" : percentiles(bubblewrapMs),
    ]),
  );
}

function throughputTable(rows: readonly Throughput[]): string {
  return table(
    ["runs a second", "clients", "bare", "ours", "ratio", "goal"],
    rows.map(({ name, clients, barePerSecond, oursPerSecond, ratio, goal }) => [
      name,
      String(clients),
      barePerSecond.toFixed(1),
      oursPerSecond.toFixed(1),
      ratioText(ratio),
      goalText(goal, "≥"),
    ]),
  );
}

function footprintTable(language: string, rows: readonly Footprint[]): string {
  const { residentMiB: resident, cpuMsPerRun: cpu } = SERVER_GOALS;
  return table(
    [`server, runs of ${language}`, `resident MiB (≤ ${resident})`, "heap MiB", `own CPU, ms a run (≤ ${cpu})`],
    rows.map(({ runs, residentMiB, heapMiB, cpuMsPerRun }) => [
      String(runs),
      residentMiB.toFixed(1),
      heapMiB.toFixed(1),
      cpuMsPerRun === undefined ? "" : cpuMsPerRun.toFixed(2),
    ]),
  );
}

function eventLoopTable({ language, clients, runs, delayMs }: EventLoop): string {
  return table(
    ["delay of the event loop, ms (p50 / p90 / p99)", "runs", "late by", "goal at p99"],
    [
      [
        `${clients} clients at once, ${language}`,
        String(runs),
        percentiles(delayMs),
        `< ${SERVER_GOALS.eventLoopDelayMs}`,
      ],
    ],
  );
}

export function liveTable({ eventsMs, echoMs }: LiveFigures): string {
  return table(
    ["live output", "ms (p50 / p90 / p99)"],
    [
      ["from a program's write to its event", percentiles(eventsMs)],
      ["from a line to its answer", percentiles(echoMs)],
    ],
  );
}

/** The machine that the figures hold for, and how busy it was. */
export function machineText({ processor, processors, kernel, cgroupVersion, node, load }: Machine): string {
  const loads = `${load.before.toFixed(1)} before and ${load.after.toFixed(1)} after`;
  return `${processors} × ${processor}, Linux ${kernel}, cgroup version ${cgroupVersion}, Node ${node}; load ${loads}.`;
}

/** The limits that every run has. */
export function limitsText(): string {
  return `Limits: ${LIMIT_NAMES.map((name) => `${name}=${LIMITS[name].default}`).join(" ")}`;
}

const GROUPS: readonly [Case["group"], string][] = [
  ["interpreters", "c=1, ms (p50 / p90 / p99)"],
  ["compilers", "c=1, compiled, ms (p50 / p90 / p99)"],
  ["cluster", "on a cluster, ms (p50 / p90 / p99)"],
];

/** All tables, in Markdown. */
export function render({ machine, cases, throughput, live, server }: Figures): string {
  const blocks = GROUPS.flatMap(([group, heading]) => {
    const rows = cases.filter((each) => each.group === group);
    return rows.length === 0 ? [] : [caseTable(rows, heading)];
  });
  if (throughput.length > 0) blocks.push(throughputTable(throughput));
  if (server?.memory !== undefined) blocks.push(footprintTable(server.memory.language, server.memory.footprints));
  if (server?.eventLoop !== undefined) blocks.push(eventLoopTable(server.eventLoop));
  blocks.push(liveTable(live));
  if (server !== undefined) {
    const { first, second } = server.startMs;
    blocks.push(
      `From the server's start to its first answer: ${first.toFixed(0)} ms on a new folder, ${second.toFixed(0)} ms the second time.`,
    );
  }
  return [machineText(machine), ...blocks].join("\n\n");
}
