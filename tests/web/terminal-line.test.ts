import { describe, expect, test } from "vitest";

import type { Said } from "../../web/answers.ts";
import { ScreenFeed } from "../../web/run/screen-feed.ts";
import { TerminalLine } from "../../web/run/terminal-line.ts";

/** A listener that is as slow as it is told to be. */
function listening(unsentBytes = 0): {
  said: Said[];
  typed: () => string;
  unsentBytes: number;
  say: (said: Said) => void;
} {
  const said: Said[] = [];
  const typed = (): string => said.map((one) => (one.type === "stdin" ? one.data : "")).join("");
  return { said, typed, unsentBytes, say: (one) => said.push(one) };
}

const SIZE = { cols: 80, rows: 24 };

describe("what is typed", () => {
  test("waits for a connection and comes in its order, through connections that come and go", () => {
    const line = new TerminalLine();
    line.open(SIZE, () => {});
    line.type("a");
    line.type("b");
    const first = listening();
    line.connect(first);
    expect(first.said).toEqual([
      { type: "resize", ...SIZE },
      { type: "stdin", data: "ab" },
    ]);
    line.type("c");
    line.disconnect();
    line.type("d");
    line.resize({ cols: 100, rows: 30 });
    const second = listening();
    line.connect(second);
    expect(first.typed()).toBe("abc");
    expect(second.said).toEqual([
      { type: "resize", cols: 100, rows: 30 },
      { type: "stdin", data: "d" },
    ]);
  });

  test("is taken whole when it is pasted, in messages that are small and whole characters", () => {
    const line = new TerminalLine();
    const listener = listening();
    line.connect(listener);
    const pasted = `x${"🜁".repeat(100_000)}\ud83d`;
    line.type(pasted);
    expect(listener.typed()).toBe(pasted.toWellFormed());
    expect(listener.said.length).toBeGreaterThan(10);
    for (const one of listener.said) expect(one.type === "stdin" && one.data.isWellFormed()).toBe(true);
  });

  test("is left out while nothing of it is sent, as when a program asks the terminal without end", () => {
    const line = new TerminalLine();
    for (let count = 0; count < 100_000; count += 1) line.type("\u001b[1;1R");
    const listener = listening();
    line.connect(listener);
    expect(listener.typed().length).toBeGreaterThan(60_000);
    expect(listener.typed().length).toBeLessThan(70_000);
    listener.unsentBytes = 1_000_000;
    line.type("more");
    expect(listener.typed()).not.toContain("more");
  });
});

test("a screen that there won't be is told to who waits for its size", async () => {
  const line = new TerminalLine();
  line.fail(new Error("no screen"));
  await expect(line.size()).rejects.toThrow("no screen");
});

/** A screen that draws when it is told to. */
class SlowScreen {
  drawn = "";
  #next: (() => void) | undefined;

  draw = (text: string, then: () => void): void => {
    this.#next = () => {
      this.drawn += text;
      then();
    };
  };

  /** Draws the next piece; returns whether there was one. */
  step(): boolean {
    const next = this.#next;
    this.#next = undefined;
    next?.();
    return next !== undefined;
  }
}

describe("what is drawn", () => {
  test("comes in small pieces, one when the one before is drawn, and characters that were cut are whole", () => {
    const feed = new ScreenFeed();
    const screen = new SlowScreen();
    feed.append("before ", "utf8");
    feed.open(screen.draw);
    feed.append(btoa("\u00c3"), "base64");
    feed.append(btoa("\u00bc"), "base64");
    feed.append("x".repeat(10_000), "utf8");
    let pieces = 0;
    while (screen.step()) pieces += 1;
    expect(screen.drawn).toBe(`before ü${"x".repeat(10_000)}`);
    expect(pieces).toBe(5);
    feed.append("after", "utf8");
    expect(screen.step()).toBe(true);
    expect(screen.drawn.endsWith("xafter")).toBe(true);
  });

  test("is waited with while much is not drawn, and not at all once it is closed", async () => {
    const feed = new ScreenFeed();
    const screen = new SlowScreen();
    feed.open(screen.draw);
    await feed.room();
    feed.append("x".repeat(1_000_000), "utf8");
    let hasRoom = false;
    const room = feed.room().then(() => (hasRoom = true));
    await Promise.resolve();
    expect(hasRoom).toBe(false);
    while (screen.drawn.length < 600_000) screen.step();
    await room;
    feed.append("x".repeat(1_000_000), "utf8");
    const closed = feed.room();
    feed.close();
    await closed;
    screen.step();
    feed.append("y", "utf8");
    expect(screen.step()).toBe(false);
    expect(screen.drawn).not.toContain("y");
  });

  test("has no more marks on one character than a screen can bear", () => {
    const feed = new ScreenFeed();
    const screen = new SlowScreen();
    feed.open(screen.draw);
    feed.append(`e${"\u0301\u200d".repeat(100_000)}e\u0301`, "utf8");
    for (let count = 0; count < 100; count += 1) feed.append("\u0301\u0301", "utf8");
    feed.append("e\u0301", "utf8");
    while (screen.step());
    expect(screen.drawn).toBe(`e${"\u0301\u200d".repeat(4)}e${"\u0301".repeat(8)}e\u0301`);
  });
});
