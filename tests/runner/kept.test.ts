import { describe, expect, test } from "vitest";

import { BINARIES } from "./binaries.ts";
import type { Outcome } from "./frames.ts";
import { frame, stage, testRecords, work } from "./program.ts";
import { execute } from "./sandbox.ts";

const ENOUGH_BYTES = 1 << 20;
const LOOK = ["bash", "-c", "find . -mindepth 1 -printf '%P %m %y %s\\n' | sort; cat made"];

function keptOf({ frames }: Outcome): { kept: Buffer; isWhole: boolean | undefined } {
  const pieces = frames.flatMap((each) => (each.type === "kept" ? [Buffer.from(each.data, "base64")] : []));
  return { kept: Buffer.concat(pieces), isWhole: frames.find((each) => each.type === "kept_ended")?.whole };
}

describe.each(BINARIES)("what a compile stage leaves (%s)", (binary) => {
  async function compile(script: string, keepBytes = ENOUGH_BYTES): Promise<Outcome> {
    const stages = [
      { kind: "c" as const, command: ["bash", "-c", script] },
      { command: ["bash", "-c", "[ ! -e made ] || echo run >made; cat made"] },
    ];
    return await execute({ files: { "in.txt": "source" }, stages, keepBytes }, { binary });
  }

  test("is sent before the program begins, and is all that a program finds which is sent with it", async () => {
    const outcome = await compile(
      "mkdir -p a/b/empty; head -c 100000 /dev/urandom >made; chmod 750 made; echo x >a/b/ü; chmod 400 a/b/ü",
    );
    expect(outcome.course).toBe("ready started ended kept kept_ended started stdout ended finished");
    expect(outcome.failed).toBe(null);
    const { kept, isWhole } = keptOf(outcome);
    expect(isWhole).toBe(true);
    const again = await execute(frame([kept, work(), ...stage({ command: LOOK })]), { binary });
    const text = again.stages[0]?.stdout;
    const names = "a 755 d 60\na/b 755 d 80\na/b/empty 755 d 40\na/b/ü 400 f 2\nin.txt 644 f 6\nmade 750 f 100000\n";
    expect(text?.subarray(0, Buffer.byteLength(names)).toString()).toBe(names);
    expect(kept.includes(text?.subarray(Buffer.byteLength(names)) ?? "nothing")).toBe(true);
    expect(text).toHaveLength(Buffer.byteLength(names) + 100_000);
  });

  test("is there for each test", async () => {
    const { kept } = keptOf(await compile("echo compiled >made"));
    const run = stage({ command: ["bash", "-c", "cat made; echo changed >made"] });
    const tests = [...testRecords({}), ...testRecords({})];
    const { stages, failed } = await execute(frame([kept, work(), ...run, ...tests]), { binary });
    expect(failed).toBe(null);
    expect(stages.map(({ stdout }) => stdout.toString())).toEqual(["compiled\n", "compiled\n"]);
  });

  test.each([
    ["a link", "ln -s /etc/passwd made"],
    ["a link to a folder", "ln -s /tmp made"],
    ["a pipe", "mkfifo pipe"],
    ["a folder with another mode", "mkdir made && chmod 700 made"],
    ["a work folder with another mode", "chmod 700 ."],
    ["a file that cannot be read", "echo >secret; chmod 0 secret"],
    ["a file that is set-user-ID", "echo >made; chmod 4755 made"],
    ["more bytes than are asked for", `truncate -s ${ENOUGH_BYTES} made`],
    ["more files than a program may have", "mkdir many; cd many; seq 1100 | xargs touch"],
    ["folders in each other too deep", "mkdir -p $(printf 'd/%.0s' {1..40})"],
  ])("is not kept with %s, and the program runs", async (_, script) => {
    const outcome = await compile(script);
    expect(outcome.failed).toBe(null);
    expect(keptOf(outcome).isWhole).toBe(false);
    expect(outcome.stages.map((each) => each.stage)).toEqual(["compile", "run"]);
  });

  test("is not sent where compiling failed", async () => {
    expect((await compile("echo >made; exit 1")).course).toBe("ready started ended finished");
  });
});
