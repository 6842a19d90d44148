import type { Limits } from "../answers.ts";
import type { Draft } from "../draft.ts";
import { duration, size } from "./format.ts";

interface LimitField {
  label: string;
  unit: string;
  /** How many bytes, milliseconds or pieces the unit is. */
  factor: number;
  show: (value: number) => string;
}

const MiB = 1024 * 1024;

/** The limits that are asked for often; the API has more. */
const FIELDS: Readonly<Record<string, LimitField>> = {
  wall_ms: { label: "Time", unit: "ms", factor: 1, show: duration },
  cpu_ms: { label: "Processor time", unit: "ms", factor: 1, show: duration },
  memory_bytes: { label: "Memory", unit: "MiB", factor: MiB, show: size },
  processes: { label: "Processes", unit: "", factor: 1, show: String },
  output_bytes: { label: "Output", unit: "KiB", factor: 1024, show: size },
  compile_wall_ms: { label: "Compile time", unit: "ms", factor: 1, show: duration },
};

export interface LimitFieldsProps {
  draft: Draft;
  bounds: { default: Limits; maximum: Limits } | undefined;
}

/** The limits of the next run; one that is empty is the language's default. */
export function LimitFields({ draft, bounds }: LimitFieldsProps) {
  function change(name: string, text: string, factor: number): void {
    const { [name]: _, ...rest } = draft.limits.value;
    const value = Math.round(Number(text) * factor);
    draft.limits.value = text === "" || !Number.isSafeInteger(value) ? rest : { ...rest, [name]: value };
  }

  return (
    <div class="limits">
      {Object.entries(FIELDS).map(([name, { label, unit, factor, show }]) => {
        const value = draft.limits.value[name];
        const initial = bounds?.default[name];
        const maximum = bounds?.maximum[name];
        return (
          <div key={name}>
            <label for={`limit-${name}`}>
              {label} {unit !== "" && <span class="unit">in {unit}</span>}
            </label>
            <input
              id={`limit-${name}`}
              type="number"
              min="0"
              step="any"
              value={value === undefined ? "" : value / factor}
              placeholder={initial === undefined ? "" : String(Math.round(initial / factor))}
              aria-describedby={`limit-${name}-hint`}
              onInput={({ currentTarget }) => change(name, currentTarget.value, factor)}
            />
            <span class="hint" id={`limit-${name}-hint`}>
              {maximum === undefined ? "" : `at most ${show(maximum)}`}
            </span>
          </div>
        );
      })}
    </div>
  );
}
