import type { Interaction } from "../../core/interaction.ts";
import { encodeProgram, memoryBytesOf, wallMsOf } from "../../core/program.ts";
import type { Program } from "../../core/program.ts";
import type { CgroupLimits } from "./local-cgroups.ts";

/** What the backend must provide for a program before it can start. */
export interface Demands extends CgroupLimits {
  /** The time limits of all stages and tests together, in milliseconds. */
  wallMs: number;
  /** Whether its sandbox needs a network. */
  network: boolean;
}

/** A program as it is sent to a runner, with what it demands of the machine. */
export interface PreparedProgram {
  encoded: Buffer;
  /** Whether the language's interpreter may have been started ahead of it. */
  suitsAhead: boolean;
  /** Of a program that is spoken to while it runs. */
  interaction: Interaction | undefined;
  demands: Demands;
}

export function prepareProgram(program: Program, processRlimit: boolean, suitsAhead = false): PreparedProgram {
  return {
    suitsAhead,
    interaction: program.interaction,
    encoded: encodeProgram(program, { processRlimit }),
    demands: {
      memoryBytes: memoryBytesOf(program),
      processes: program.limits.processes,
      cpuMillicores: program.limits.cpu_millicores,
      wallMs: wallMsOf(program),
      network: program.network === true,
    },
  };
}
