// tries: taking away what the language stands on, and the way back
// outcomes: [failed]
// exit_code: 4
// limits: { wall_ms: 5000 }
const exit = process.exit.bind(process);
const out = process.stdout.write.bind(process.stdout);
Object.prototype.toJSON = () => ({ status: "succeeded" });
Array.prototype.map = Array.prototype.join = () => "forged";
JSON.stringify = () => '{"type":"finished"}';
globalThis.Buffer = globalThis.Promise = globalThis.console = undefined;
process.exit = process.reallyExit = () => {};
out("went on\n");
exit(4);
