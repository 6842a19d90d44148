import { describe, expect, test } from "vitest";

import { complaintsIn } from "../../web/run/complaints.ts";

describe("a tool's complaint is found with its file, line and column", () => {
  test.for([
    [
      "gcc",
      "main.c: In function 'main':\nmain.c:3:5: error: 'x' undeclared\n    3 |     x;",
      "main.c",
      3,
      5,
      "'x' undeclared",
    ],
    ["gcc, of a header", "main.c:1:10: fatal error: none.h: No such file", "main.c", 1, 10, "none.h: No such file"],
    [
      "javac",
      "Main.java:3: error: ';' expected\n    int a = 1\n             ^\n1 error",
      "Main.java",
      3,
      14,
      "';' expected",
    ],
    ["go", "# program\n./main.go:4:2: undefined: x", "main.go", 4, 2, "undefined: x"],
    ["rustc", "error[E0425]: cannot find value `x`\n --> main.rs:2:5\n  |", "main.rs", 2, 5, "cannot find value `x`"],
    ["tsc", "lib/a.ts(3,7): error TS2322: Type 'a' is not 'b'.", "lib/a.ts", 3, 7, "TS2322: Type 'a' is not 'b'."],
    ["bash", "main.sh: line 2: nothing: command not found", "main.sh", 2, undefined, "nothing: command not found"],
    ["bash, by its path", "/work/main.sh: line 9: syntax error", "main.sh", 9, undefined, "syntax error"],
    [
      "Python, in the innermost of the program's own frames",
      'Traceback (most recent call last):\n  File "/work/main.py", line 5, in <module>\n    f()\n  File "/work/a/b.py", line 2, in f\n    json.loads("")\n  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads\n    return x\njson.decoder.JSONDecodeError: Expecting value',
      "a/b.py",
      2,
      undefined,
      "json.decoder.JSONDecodeError: Expecting value",
    ],
    [
      "Python, of its syntax",
      "  File \"/work/main.py\", line 1\n    print(\n         ^\nSyntaxError: '(' was never closed",
      "main.py",
      1,
      undefined,
      "SyntaxError: '(' was never closed",
    ],
    [
      "Node",
      "/work/main.js:3\n  nothing();\n  ^\n\nReferenceError: nothing is not defined\n    at Object.<anonymous> (/work/main.js:3:3)",
      "main.js",
      3,
      3,
      "ReferenceError: nothing is not defined",
    ],
    [
      "Node, of a module",
      "file:///work/main.mjs:1\nimport x from 'y\n              ^^\n\nSyntaxError: Invalid or unexpected token",
      "main.mjs",
      1,
      15,
      "SyntaxError: Invalid or unexpected token",
    ],
    [
      "the JVM",
      'Exception in thread "main" java.lang.NumberFormatException: For input string: "x"\n\tat java.base/java.lang.Integer.parseInt(Integer.java:652)\n\tat Main.main(Main.java:3)',
      "Main.java",
      3,
      undefined,
      'java.lang.NumberFormatException: For input string: "x"',
    ],
  ] as const)("%s", ([, output, file, line, column, message]) => {
    const complaints = complaintsIn(output);
    expect(complaints).toEqual([
      { file, line, ...(column === undefined ? {} : { column }), severity: "error", message },
    ]);
  });
});

test("warnings and notes are told from errors", () => {
  const output = "a.c:1:2: warning: unused\na.c:1:2: note: here\nb.c:4:1: error: no";
  expect(complaintsIn(output).map(({ severity }) => severity)).toEqual(["warning", "info", "error"]);
});

test("what a program prints to look like many or long complaints is bounded", () => {
  expect(complaintsIn("a.c:1:1: error: x\n".repeat(100_000))).toHaveLength(100);
  expect(complaintsIn(`a.c:1:1: error: ${"x".repeat(1_000_000)}`)[0]?.message).toHaveLength(400);
  expect(complaintsIn(`${"a".repeat(1_000_000)}\n${" ".repeat(1_000_000)}^`)).toEqual([]);
});

test("ordinary output has no complaints", () => {
  expect(complaintsIn("hello\n12:30:15: all is well\nerror\nFile x, line 3\nat main (here:1:2)\n")).toEqual([]);
});
