/** The text of a program in a template, as it is written but without its common indentation. */
export function source(strings: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  const lines = String.raw(strings, ...values)
    .replace(/^\n/, "")
    .replace(/\n *$/, "\n")
    .split("\n");
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.length - line.trimStart().length);
  const indent = Math.min(...indents);
  return lines.map((line) => line.slice(indent)).join("\n");
}
