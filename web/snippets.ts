import type { RunRequest } from "./answers.ts";

/** A request to be copied, in one of the ways to send it. */
export interface Snippet {
  name: "curl" | "Python" | "TypeScript";
  text: string;
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** JSON as Python writes it, where all but three words are the same. */
function pythonLiteral(value: unknown, indent = ""): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}    `;
  const members = Array.isArray(value)
    ? value.map((item) => pythonLiteral(item, inner))
    : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${pythonLiteral(item, inner)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return members.length === 0
    ? open + close
    : `${open}\n${members.map((text) => `${inner}${text},\n`).join("")}${indent}${close}`;
}

/** The request as others would send it to `url`; a key, where one is wanted, comes from the environment. */
export function snippetsOf(request: RunRequest, url: string, withKey: boolean): Snippet[] {
  const target = `${url}/api/run/sync`;
  const curlKey = withKey ? ` \\\n  -H "authorization: Bearer $SANDBOX_API_KEY"` : "";
  const curl = `curl -sS ${shellQuoted(target)} \\
  -H 'content-type: application/json'${curlKey} \\
  --data-raw ${shellQuoted(JSON.stringify(request))}
`;
  const pythonKey = withKey ? `\n        "authorization": "Bearer " + os.environ["SANDBOX_API_KEY"],` : "";
  const python = `import json
${withKey ? "import os\n" : ""}import urllib.request

program = ${pythonLiteral(request)}

request = urllib.request.Request(
    ${JSON.stringify(target)},
    data=json.dumps(program).encode(),
    headers={
        "content-type": "application/json",${pythonKey}
    },
)
with urllib.request.urlopen(request) as response:
    result = json.load(response)

print(result["status"], result["stdout"], result["stderr"])
`;
  const typescriptKey = withKey ? `\n    authorization: \`Bearer \${process.env["SANDBOX_API_KEY"]}\`,` : "";
  const typescript = `const program = ${JSON.stringify(request, null, 2)};

const response = await fetch(${JSON.stringify(target)}, {
  method: "POST",
  headers: {
    "content-type": "application/json",${typescriptKey}
  },
  body: JSON.stringify(program),
});
const result = (await response.json()) as { status: string; stdout: string; stderr: string };

console.log(result.status, result.stdout, result.stderr);
`;
  return [
    { name: "curl", text: curl },
    { name: "Python", text: python },
    { name: "TypeScript", text: typescript },
  ];
}
