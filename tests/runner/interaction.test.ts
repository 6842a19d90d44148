import { describe, expect, test } from "vitest";
import { BINARIES } from "./binaries.ts";
import type { BinaryName } from "./binaries.ts";
import { bytesOf } from "./frames.ts";
import type { Frame } from "./frames.ts";
import { encode } from "./program.ts";
import type { StageSpec } from "./program.ts";
import { Sandbox } from "./sandbox.ts";

const TERMINAL = { columns: 80, rows: 24 };

function say(bytes: Uint8Array | string): string {
  const buffer = Buffer.from(bytes);
  return `i ${buffer.length} ${buffer.toString("base64")}\n`;
}

/** A sandbox whose program is spoken to. */
class Conversation implements AsyncDisposable {
  readonly #sandbox: Sandbox;
  readonly frames: Frame[] = [];
  printed = "";

  constructor(binary: BinaryName, stage: StageSpec) {
    this.#sandbox = new Sandbox({ binary });
    this.#sandbox.send(encode({ stages: [{ live: true, ...stage }] }));
  }

  say(...lines: (string | Uint8Array)[]): void {
    for (const line of lines) this.#sandbox.stdin.write(line);
  }

  /** Reads until the program has printed `text`; throws when it ends before. */
  async prints(text: string): Promise<void> {
    while (!this.printed.includes(text)) {
      if ((await this.#next()) === undefined) throw new Error(`${text} was not printed, but ${this.printed}`);
    }
  }

  /** Reads to the end; returns how the program ended. */
  async end(): Promise<Extract<Frame, { type: "ended" }> | undefined> {
    for (let frame = await this.#next(); frame !== undefined;) frame = await this.#next();
    return this.frames.find((frame) => frame.type === "ended");
  }

  async #next(): Promise<Frame | undefined> {
    const frame = await this.#sandbox.frames.next();
    if (frame === undefined) return undefined;
    this.frames.push(frame);
    if (frame.type === "stdout") this.printed += bytesOf(frame).toString();
    return frame;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandbox[Symbol.asyncDispose]();
  }
}

describe.each(BINARIES)("an interactive program (%s)", (binary) => {
  test("gets each byte that is said, and is told the end", async () => {
    const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 31) % 251));
    await using program = new Conversation(binary, { command: ["sha256sum"] });
    for (let at = 0; at < bytes.length; at += 16_384) program.say(say(bytes.subarray(at, at + 16_384)));
    program.say("e\n");
    expect(await program.end()).toMatchObject({ exit_code: 0 });
    const { createHash } = await import("node:crypto");
    expect(program.printed).toBe(`${createHash("sha256").update(bytes).digest("hex")}  -\n`);
    const fed = program.frames.flatMap((frame) => (frame.type === "fed" ? [frame.bytes] : []));
    expect(fed).toEqual(fed.toSorted((a, b) => a - b));
    expect(bytes.length - (fed.at(-1) ?? 0)).toBeLessThan(16_384);
  });

  test("finds its first input before what is said later", async () => {
    await using program = new Conversation(binary, { command: ["cat"], stdin: "first " });
    program.say(say("second"), "e\n");
    await program.end();
    expect(program.printed).toBe("first second");
  });

  test.each([
    ["cut off", "i 5 aGV"],
    ["longer than it says", "i 4 aGVsbG8="],
    ["shorter than it says", "i 6 aGVsbG8="],
    ["no base64", "i 5 a*VsbG8="],
    ["too long", `i 99999 ${"A".repeat(200_000)}`],
    ["unknown", "x 1"],
    ["empty", ""],
    ["another signal", "s 19"],
    ["no number", "s x"],
    ["no size", "r 1"],
  ])("passes over a line that is %s", async (_, line) => {
    await using program = new Conversation(binary, { command: ["cat"] });
    program.say(say("a"), `${line}\n`, say("b"), "e\n");
    expect(await program.end()).toMatchObject({ exit_code: 0, signal: null });
    expect(program.printed).toBe("ab");
  });

  test("is signalled although its input waits", async () => {
    const script = "trap 'echo told; exit 3' INT; echo ready; while :; do sleep 0.01; done";
    await using program = new Conversation(binary, { command: ["bash", "-c", script] });
    await program.prints("ready");
    for (let index = 0; index < 8; index += 1) program.say(say(Buffer.alloc(16_384)));
    program.say("s 2\n");
    expect(await program.end()).toMatchObject({ exit_code: 3 });
  });

  test("drops input that nobody reads any more", async () => {
    const script = "exec <&-; echo closed; trap 'exit 4' TERM; while :; do sleep 0.01; done";
    await using program = new Conversation(binary, { command: ["bash", "-c", script] });
    await program.prints("closed");
    for (let index = 0; index < 64; index += 1) program.say(say(Buffer.alloc(16_384)));
    program.say("s 15\n");
    expect(await program.end()).toMatchObject({ exit_code: 4 });
  });

  test("ends for idleness when nothing moves, and not before", async () => {
    const script = "for i in 1 2 3 4; do sleep 0.2; echo $i; done; read -r line";
    const limits = { idleUs: 600_000 };
    await using program = new Conversation(binary, { command: ["bash", "-c", script], limits });
    expect(await program.end()).toMatchObject({ limit: "idle", signal: "SIGKILL" });
    expect(program.printed).toBe("1\n2\n3\n4\n");
  });

  test("has a terminal of its own, of the size that is asked for, and no other", async () => {
    const script = "tty; stty size; test -t 2 && echo three >&2; head -c 1 /dev/tty; cat /dev/pts/ptmx; echo over";
    await using program = new Conversation(binary, { command: ["bash", "-c", script], live: TERMINAL });
    await program.prints("three");
    program.say(say("x\r"));
    await program.prints("over");
    expect(await program.end()).toMatchObject({ exit_code: 0 });
    expect(program.printed).toMatch(/^\/dev\/pts\/0\r\n24 80\r\nthree\r\nx/);
    expect(program.printed).toMatch(/ptmx: (?:Permission denied|No space left on device)/);
    expect(program.frames.filter(({ type }) => type === "stderr")).toEqual([]);
  });

  test("is told of a new size of its terminal, and of Control-C", async () => {
    const script = "trap 'stty size' WINCH; trap 'echo stopped; exit 5' INT; echo ready; while :; do sleep 0.01; done";
    await using program = new Conversation(binary, { command: ["bash", "-c", script], live: TERMINAL });
    await program.prints("ready");
    program.say("r 100 30\n");
    await program.prints("30 100");
    program.say(say("\u0003"));
    expect(await program.end()).toMatchObject({ exit_code: 5 });
  });

  test("leaves a terminal's last words to be read when it has ended with its children", async () => {
    const script = `setsid sleep 50 & for i in $(seq 2000); do echo line $i; done; kill -9 $$`;
    await using program = new Conversation(binary, { command: ["bash", "-c", script], live: TERMINAL });
    expect(await program.end()).toMatchObject({ signal: "SIGKILL", limit: null });
    expect(program.printed.split("\r\n")).toHaveLength(2001);
  });
});
