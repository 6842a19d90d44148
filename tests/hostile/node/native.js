// tries: "what is below the language: bindings, native code, a new context"
// outcomes: [succeeded, failed, signaled]
// limits: { wall_ms: 5000 }
const vm = require("node:vm");

const attempts = [
  () => process.binding("spawn_sync"),
  () => process.dlopen({ exports: {} }, "{{file}}"),
  () => vm.runInNewContext("this.constructor.constructor('return process')()").env,
  () => require("node:child_process").execSync("cat {{file}} /proc/1/environ", { stdio: "pipe" }).toString(),
  () => require("node:v8").writeHeapSnapshot("/usr/heap"),
  () => process.setuid(0),
  () => process.initgroups("root", 0),
];
for (const attempt of attempts) {
  try {
    console.log(attempt());
  } catch (error) {
    console.log(error.code ?? error.message);
  }
}
