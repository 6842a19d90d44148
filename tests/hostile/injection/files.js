// tries: names of files that mean something to shells, templates and compilers
// outcomes: [succeeded]
// stdout: "went on\n"
// files: { "$(id)": "x", "{{x}}": "x", "a;id": "x", "package.json": "{\"type\":\"commonjs\",\"scripts\":{\"preinstall\":\"id\"}}", "node_modules/fs/index.js": "console.log('ESCAPED')", "`id`": "x" }
// limits: { wall_ms: 5000 }
const { readFileSync } = require("fs");

for (const name of ["$(id)", "a;id", "`id`"]) if (readFileSync(name, "utf8") !== "x") console.log("other", name);
console.log("went on");
