import type { Extension } from "@codemirror/state";

type Load = () => Promise<Extension>;

const python: Load = async () => (await import("@codemirror/lang-python")).python();
const cpp: Load = async () => (await import("@codemirror/lang-cpp")).cpp();
const java: Load = async () => (await import("@codemirror/lang-java")).java();
const go: Load = async () => (await import("@codemirror/lang-go")).go();
const rust: Load = async () => (await import("@codemirror/lang-rust")).rust();
const javascript: Load = async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true });
const typescript: Load = async () => (await import("@codemirror/lang-javascript")).javascript({ typescript: true });
const shell: Load = async () => (await import("./shell.ts")).shell();

const BY_EXTENSION = new Map<string, Load>([
  ["py", python],
  ["js", javascript],
  ["mjs", javascript],
  ["cjs", javascript],
  ["ts", typescript],
  ["mts", typescript],
  ["cts", typescript],
  ["sh", shell],
  ["bash", shell],
  ["c", cpp],
  ["h", cpp],
  ["cpp", cpp],
  ["cc", cpp],
  ["cxx", cpp],
  ["hpp", cpp],
  ["java", java],
  ["go", go],
  ["rs", rust],
]);

/** What highlights and indents a file of this name, loaded when it is first wanted; undefined for plain text. */
export function languageOf(fileName: string): Load | undefined {
  return BY_EXTENSION.get(fileName.slice(fileName.lastIndexOf(".") + 1).toLowerCase());
}
