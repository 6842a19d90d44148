import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { markedPart } from "../../scripts/marked-part.ts";
import { chart } from "./chart.ts";
import { readFigures } from "./figures.ts";
import type { Figures } from "./figures.ts";
import { render } from "./report.ts";

const DOCS = join(import.meta.dirname, "../../docs");
const PAGE = join(DOCS, "performance.md");
const PICTURE = join(DOCS, "performance.svg");

const USAGE = `npm run bench:plot -- [--check] [FILE...]
  FILE       what a benchmark has written with --json (docs/performance*.json)
  --check    only tells whether docs/performance.svg and the tables of docs/performance.md are those of the figures`;

/** What the picture shows, for those who do not see it. */
const ALTERNATIVE =
  "For each case what a run takes relative to the bare toolchain: the median, and lines to the 90th and 99th percentile.";

function picture(all: readonly Figures[]): string {
  return chart(
    all.flatMap(({ cases }) => cases),
    all.flatMap(({ throughput }) => throughput),
  );
}

/** The page with the tables of these figures in the place of those it has. */
function page(all: readonly Figures[]): string {
  const { before, after } = markedPart(readFileSync(PAGE, "utf8"), { name: "figures", path: PAGE });
  const image = `![${ALTERNATIVE}](performance.svg)`;
  return `${before}\n\n${image}\n\n${all.map(render).join("\n\n")}\n\n${after}`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});
if (values.help) {
  console.log(USAGE);
} else {
  const paths = positionals.length > 0 ? positionals : globSync(join(DOCS, "performance*.json")).toSorted();
  if (paths.length === 0) throw new Error(`${DOCS} has no performance*.json, and no FILE is named`);
  const figures = paths.map(readFigures);
  for (const [path, text] of [
    [PICTURE, picture(figures)],
    [PAGE, page(figures)],
  ] as const) {
    if (!values.check) writeFileSync(path, text);
    else if (readFileSync(path, "utf8") !== text) {
      console.error(`${path} is not what npm run bench:plot makes of ${paths.join(", ")}`);
      process.exitCode = 1;
    }
  }
}
