import { useLayoutEffect, useRef } from "preact/hooks";

import type { Limits } from "../answers.ts";
import type { Outcome } from "../run/outcome.ts";
import { duration, size } from "./format.ts";

interface BarProps {
  label: string;
  used: number | null;
  allowed: number | undefined;
  show: (value: number) => string;
}

/** One figure against what was allowed. */
function Bar({ label, used, allowed, show }: BarProps) {
  const fill = useRef<HTMLDivElement>(null);
  const share = used === null || !allowed ? 0 : Math.min(1, used / allowed);
  const text = used === null ? "not known" : `${show(used)}${allowed ? ` of ${show(allowed)}` : ""}`;
  useLayoutEffect(() => {
    // By a property: an attribute would need a wider policy.
    if (fill.current !== null) fill.current.style.inlineSize = `${(100 * share).toFixed(1)}%`;
  }, [share]);
  return (
    <div class="bar">
      <span>{label}</span>
      <div
        class={share > 0.9 ? "track full" : "track"}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(100 * share)}
        aria-valuetext={text}
      >
        <div ref={fill} />
      </div>
      <span class="figure">{text}</span>
    </div>
  );
}

export interface UsageBarsProps {
  outcome: Outcome;
  defaults: Limits;
}

/** What the last stage used of what its limits allowed. */
export function UsageBars({ outcome, defaults }: UsageBarsProps) {
  const { run, compile, request, inTerminal } = outcome;
  const usage = run ?? compile;
  if (usage === null) return null;
  const allowed = (name: string): number | undefined => {
    const limit = run === null ? `compile_${name}` : name;
    // Who types is given more time, which the language does not tell of.
    if (inTerminal && limit === "wall_ms") return request.limits?.[limit];
    return request.limits?.[limit] ?? defaults[limit];
  };
  return (
    <div class="bars">
      <Bar label="Time" used={usage.wall_ms} allowed={allowed("wall_ms")} show={duration} />
      <Bar label="CPU" used={usage.cpu_ms} allowed={allowed("cpu_ms")} show={duration} />
      <Bar label="Memory" used={usage.memory_bytes} allowed={allowed("memory_bytes")} show={size} />
    </div>
  );
}
