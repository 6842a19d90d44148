/**
 * The limits of one run. Sizes are in bytes, durations in milliseconds.
 * The table is the one place that names them: the request schema, the settings and the README are made from it.
 */
export interface Limits {
  wall_ms: number;
  cpu_ms: number;
  memory_bytes: number;
  cpu_millicores: number;
  processes: number;
  open_files: number;
  file_bytes: number;
  work_bytes: number;
  work_inodes: number;
  output_bytes: number;
  compile_wall_ms: number;
  compile_cpu_ms: number;
  compile_memory_bytes: number;
}

export type LimitName = keyof Limits;

export interface LimitDescription {
  description: string;
  /** The smallest value with which the cheapest program still runs. */
  minimum: number;
  default: number;
  maximum: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

export const LIMITS: Record<LimitName, LimitDescription> = {
  wall_ms: {
    description: "Time from the program's start to its end, in milliseconds",
    minimum: 1,
    default: 10_000,
    maximum: 60_000,
  },
  cpu_ms: {
    description: "Processor time of all processes of the program together, in milliseconds",
    minimum: 1,
    default: 10_000,
    maximum: 60_000,
  },
  memory_bytes: {
    description: "Memory of all processes together, with the files under /work and /tmp, in bytes",
    minimum: 4 * MiB,
    default: 256 * MiB,
    maximum: 1024 * MiB,
  },
  cpu_millicores: {
    description: "Share of the processors, in thousandths of one, averaged over a second or two",
    minimum: 10,
    default: 500,
    maximum: 500,
  },
  processes: {
    description: "Processes and threads at any one time",
    minimum: 1,
    default: 64,
    maximum: 256,
  },
  open_files: {
    description: "Open files of each process",
    minimum: 8,
    default: 256,
    maximum: 4096,
  },
  file_bytes: {
    description: "Size of each file that is written, in bytes",
    minimum: 1,
    default: 64 * MiB,
    maximum: 256 * MiB,
  },
  work_bytes: {
    description: "Contents of /work, and again of /tmp and of /dev/shm, in bytes",
    minimum: 64 * KiB,
    default: 64 * MiB,
    maximum: 256 * MiB,
  },
  work_inodes: {
    description: "Files and folders in /work, and again in /tmp and in /dev/shm",
    minimum: 16,
    default: 10_000,
    maximum: 100_000,
  },
  output_bytes: {
    description: "Output kept of stdout, and again of stderr, of each stage, in bytes",
    minimum: 1,
    default: 1 * MiB,
    maximum: 16 * MiB,
  },
  compile_wall_ms: {
    description: "Time that compiling may take, in milliseconds",
    minimum: 1,
    default: 30_000,
    maximum: 60_000,
  },
  compile_cpu_ms: {
    description: "Processor time that compiling may take, in milliseconds",
    minimum: 1,
    default: 30_000,
    maximum: 60_000,
  },
  compile_memory_bytes: {
    description: "Memory that compiling may take, in bytes",
    minimum: 4 * MiB,
    default: 512 * MiB,
    maximum: 1024 * MiB,
  },
};

export const LIMIT_NAMES = Object.keys(LIMITS) as LimitName[];

export interface LimitBounds {
  default: Limits;
  maximum: Limits;
}

/** Builds a complete set of limits, one value a name. */
export function limitsFrom(value: (name: LimitName) => number): Limits {
  const limits: Partial<Limits> = {};
  for (const name of LIMIT_NAMES) limits[name] = value(name);
  return limits as Limits;
}

/**
 * The bounds of one language on this server: what the language asks for replaces the server's default,
 * and nothing exceeds the server's maximum.
 */
export function boundsFor(
  server: LimitBounds,
  language: { default: Partial<Limits>; maximum: Partial<Limits> },
): LimitBounds {
  const maximum = limitsFrom((name) => Math.min(language.maximum[name] ?? server.maximum[name], server.maximum[name]));
  return {
    maximum,
    default: limitsFrom((name) => Math.min(language.default[name] ?? server.default[name], maximum[name])),
  };
}
