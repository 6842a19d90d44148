/**
 * The other machine: listens for TCP and UDP on port 7000 of all its addresses, answers each with where it was reached, and is
 * a name server that knows one name.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

import { PORT } from "./places.ts";

createServer((socket) => {
  socket.on("error", () => {});
  socket.end(`tcp at ${socket.localAddress}\n`);
}).listen(PORT, "0.0.0.0", () => process.stdout.write("listening\n"));

const datagrams = createSocket("udp4", (_, { port, address }) => {
  datagrams.send("udp\n", port, address);
});
datagrams.bind(PORT, "0.0.0.0");

/** An A record of 11.1.1.2 for whatever is asked for (RFC 1035, section 4). */
const names = createSocket("udp4", (question, { port, address }) => {
  const answer = Buffer.concat([
    question.subarray(0, 2),
    Buffer.from("81800001000100000000", "hex"),
    question.subarray(12, question.indexOf(0, 12) + 5),
    Buffer.from("c00c000100010000003c00040b010102", "hex"),
  ]);
  names.send(answer, port, address);
});
names.bind(53, "0.0.0.0");
