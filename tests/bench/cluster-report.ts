import type { Mark, Sample } from "./cluster-subjects.ts";
import { caseOf } from "./figures.ts";
import type { Case } from "./figures.ts";
import { COLD_GOAL, WARM_GOALS } from "./goals.ts";
import { quantiles } from "./measure.ts";
import { percentiles, table } from "./report.ts";

export interface ClusterRow {
  language: string;
  bare: Sample[];
  ours: Sample[];
}

const MARKS: readonly [Mark, string][] = [
  ["answered", "POST of the Job answered"],
  ["made", "Job seen"],
  ["pod", "its Pod seen"],
  ["scheduled", "Pod seen on a node"],
  ["firstStamp", "first line of the log, by the node's clock"],
  ["outputStamp", "program's output, by the node's clock"],
  ["lastStamp", "last line of the log, by the node's clock"],
  ["started", "container seen started"],
  ["output", "last output seen"],
  ["logEnd", "end of the log seen"],
  ["answer", "answer"],
  ["terminated", "container seen ended"],
  ["complete", "Job seen complete"],
];

function samplesOf(samples: readonly Sample[], mark: Mark): number[] {
  return samples.flatMap((sample) => sample[mark] ?? []);
}

function cell(samples: readonly Sample[], mark: Mark): string {
  const times = samplesOf(samples, mark);
  return times.length === 0 ? "" : percentiles(quantiles(times));
}

function inRatios({ p50, p90 }: { p50: number; p90: number }): string {
  return `${p50.toFixed(2)} / ${p90.toFixed(2)}`;
}

function ratios({ bare, ours }: ClusterRow): string {
  const answer = quantiles(samplesOf(ours, "answer"));
  const over = (mark: Mark): string => {
    const { p50, p90 } = quantiles(samplesOf(bare, mark));
    return inRatios({ p50: answer.p50 / p50, p90: answer.p90 / p90 });
  };
  const pairs = bare.map((sample, index) => (ours[index]?.answer ?? NaN) / (sample.output ?? NaN));
  return [
    `answer over the bare Job's last output: ${over("output")}; pair by pair: ${inRatios(quantiles(pairs))}`,
    `answer over the end of its log: ${over("logEnd")}, over its completion: ${over("complete")}`,
  ].join("\n");
}

/** From the request to the answer, against the last output of a bare Job; `warm` where the run's Job waited. */
export function clusterCases({ language, bare, ours }: ClusterRow, warm: readonly number[]): Case[] {
  const ofBare = samplesOf(bare, "output");
  const group = "cluster";
  const cold = caseOf({ group, name: language, bare: ofBare, ours: samplesOf(ours, "answer"), goal: COLD_GOAL });
  if (warm.length === 0) return [cold];
  const name = `${language}, Job made before`;
  return [cold, caseOf({ group, name, bare: ofBare, ours: warm, goal: WARM_GOALS[language] })];
}

/** A language's steps side by side, and how the answer compares to what a bare Job takes. */
export function renderCluster(row: ClusterRow): string {
  const headings = [
    `${row.language} (${row.ours.length} pairs), ms after the request (p50 / p90 / p99)`,
    "bare Job",
    "run",
  ];
  const lines = MARKS.map(([mark, words]) => [words, cell(row.bare, mark), cell(row.ours, mark)]);
  return `${table(headings, lines)}\n\n${ratios(row)}`;
}
