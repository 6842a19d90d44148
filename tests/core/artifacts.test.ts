import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { SequencedFrame } from "../../core/frames.ts";
import { Recording } from "../../core/recording.ts";
import { checkArtifacts } from "../../core/validators.ts";
import { FINISHED, RUN, at, ended, play, resultOf, started } from "./transcript-play.ts";

/** As the runner writes it. */
function lineOf({ seq, type, ...rest }: SequencedFrame): string {
  return JSON.stringify({ seq, type, ...rest });
}

const RAN = [started("run"), ended("run", { exit_code: 0 })];

function artifact(name: string, size_bytes: number, has_content = true): SequencedFrame {
  return { type: "artifact", seq: 0, name, size_bytes, has_content };
}

function content(text: string | Buffer): SequencedFrame {
  return { type: "content", seq: 0, data: Buffer.from(text).toString("base64") };
}

function artifactsOf(...frames: SequencedFrame[]): [string, number, string | undefined][] {
  const { artifacts } = resultOf(play([...RAN, ...frames, FINISHED]));
  return (artifacts?.files ?? []).map(({ name, sizeBytes, content: bytes }) => [
    name,
    sizeBytes,
    bytes === null ? undefined : Buffer.from(bytes).toString(),
  ]);
}

describe("artifacts", () => {
  test("are put together from their pieces", () => {
    const frames = [artifact("a", 6), content("abc"), content("def"), artifact("b", 9, false), artifact("c", 0)];
    expect(artifactsOf(...frames)).toEqual([
      ["a", 6, "abcdef"],
      ["b", 9, undefined],
      ["c", 0, ""],
    ]);
  });

  test("that are not as long as announced, or come twice, are not believed", () => {
    expect(artifactsOf(artifact("a", 2), content("abc"), artifact("b", 4), content("abc"), artifact("b", 1))).toEqual([
      ["a", 2, undefined],
      ["b", 4, undefined],
    ]);
    expect(artifactsOf(content("abc"))).toEqual([]);
  });

  test("are held to their bounds whatever the runner says", () => {
    const large = Buffer.alloc(3 << 20, "x");
    const kept = artifactsOf(artifact("a", large.length), content(large), artifact("b", large.length), content(large));
    expect(kept.map(([name, , text]) => [name, text?.length])).toEqual([
      ["a", large.length],
      ["b", undefined],
    ]);
    expect(artifactsOf(...Array.from({ length: 300 }, (_, n) => artifact(`f${n}`, 0)))).toHaveLength(100);
  });

  test("are told of a run that asked for some and found none, and of no other", () => {
    const none: SequencedFrame = { type: "artifacts_ended", seq: 0, omitted: 3 };
    expect(resultOf(play([...RAN, none, FINISHED])).artifacts).toEqual({ files: [], omitted: 3 });
    expect(resultOf(play([...RAN, FINISHED])).artifacts).toBe(undefined);
  });

  test("are dropped from the record of a run that was ended, beyond what that may take", () => {
    const recording = new Recording(RUN);
    const frames = [...RAN, artifact("a", 300), content("x".repeat(300)), artifact("b", 300), content("y".repeat(300))];
    for (const [index, frame] of frames.entries()) recording.add(frame, lineOf(frame), at(index));
    const cut = recording.interrupted({ status: "cancelled" }, at(9), 500);
    expect(cut.result?.artifacts?.files.map(({ content: bytes }) => bytes?.length)).toEqual([300, undefined]);
  });
});

test("a glob that is accepted leads nowhere but below the work folder", () => {
  const glob = fc.stringMatching(/^[a.*?/\n-]{0,8}$/);
  fc.assert(
    fc.property(glob, (text) => {
      const segments = text.split("/");
      const good = segments.every((segment) => /^[a.*?-]+$/.test(segment) && segment !== "." && segment !== "..");
      const stars = segments.every((segment) => segment === "**" || !segment.includes("**"));
      if (good && stars) expect(checkArtifacts([text])).toEqual([text]);
      else expect(() => checkArtifacts([text])).toThrow(/artifacts\[0\]/);
    }),
    { numRuns: 2000 },
  );
});
