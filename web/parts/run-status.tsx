import { useEffect, useState } from "preact/hooks";

import type { Usage } from "../answers.ts";
import type { Outcome } from "../run/outcome.ts";
import type { Phase } from "../run/run-session.ts";
import { duration } from "./format.ts";

const STEPS = {
  sending: "Sending",
  queued: "Waiting for its turn",
  compiling: "Compiling",
  running: "Running",
  stopping: "Stopping",
} as const;

const LIMITS: Readonly<Record<string, string>> = {
  wall: "time",
  cpu: "processor time",
  memory: "memory",
  processes: "processes",
  output: "output",
  idle: "time without input or output",
  file_size: "the size of a file",
  inodes: "the number of files",
};

function endOf(usage: Usage | null): string {
  if (usage === null) return "";
  if (usage.limit !== null) return `over its limit of ${LIMITS[usage.limit] ?? usage.limit}`;
  if (usage.signal !== null) return `ended by ${usage.signal}`;
  return usage.exit_code === null ? "" : `exit code ${usage.exit_code}`;
}

/** A status as words: `time_limit` reads `time limit`. */
export function words(status: string): string {
  return status.replaceAll("_", " ");
}

/** Which colours a status has. */
export function kindOf(status: string): "good" | "bad" | "warn" {
  if (status === "succeeded" || status === "accepted") return "good";
  return status === "cancelled" || status === "lost" ? "warn" : "bad";
}

function Clock({ sinceMs }: { sinceMs: number }) {
  const [nowMs, setNowMs] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(performance.now()), 100);
    return () => clearInterval(timer);
  }, []);
  return (
    <span role="timer" aria-label="Time since the start" aria-live="off">
      {((nowMs - sinceMs) / 1000).toFixed(1)} s
    </span>
  );
}

function Ended({ outcome }: { outcome: Outcome }) {
  const { status, reason, compile, run } = outcome;
  const last = run ?? compile;
  return (
    <>
      <strong class={`badge ${kindOf(status)}`}>{words(status)}</strong>
      <span>{endOf(last)}</span>
      {last !== null && <span>in {duration(last.wall_ms)}</span>}
      {compile !== null && run !== null && (
        <span class="hint">{compile.cached ? "compiled before" : `compiled in ${duration(compile.wall_ms)}`}</span>
      )}
      {reason !== null && <span class="reason">{reason}</span>}
    </>
  );
}

/** How the run goes, in one line that screen readers read out when it changes. */
export function RunStatus({ phase }: { phase: Phase }) {
  return (
    <div class="status">
      <div role="status" class="row">
        {phase.state === "idle" && <span class="hint">Nothing has run yet.</span>}
        {phase.state === "active" && (
          <>
            <span class="spinner" aria-hidden="true" />
            <strong>{STEPS[phase.step]}</strong>
            {phase.lost && <span class="reason">The connection to the server was lost; trying again.</span>}
          </>
        )}
        {phase.state === "ended" && <Ended outcome={phase.outcome} />}
        {phase.state === "failed" && (
          <>
            <strong class="badge bad">not run</strong>
            <span class="reason">{phase.message}</span>
          </>
        )}
      </div>
      {phase.state === "active" && <Clock sinceMs={phase.sinceMs} />}
    </div>
  );
}
