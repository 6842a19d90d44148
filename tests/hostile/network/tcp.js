// tries: the loopback by sockets, by fetch and by a name
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { wall_ms: 6000 }
const net = require("node:net");

async function main() {
  for (const host of ["127.0.0.1", "::1", "localhost"]) {
    await new Promise((resolve) => {
      const socket = net.connect({ host, port: {{tcp}} });
      socket.on("connect", () => console.log("ESCAPED", host)).on("error", resolve).setTimeout(1000, resolve);
    });
  }
  await fetch("http://127.0.0.1:{{api}}/healthz").then(() => console.log("ESCAPED"), () => {});
  await new Promise((resolve) => net.createServer().on("error", resolve).listen(0, () => console.log("ESCAPED")));
  console.log("went on");
  process.exit(0);
}
main();
