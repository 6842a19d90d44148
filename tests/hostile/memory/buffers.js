// tries: memory beside the engine's heap
// outcomes: [memory_limit]
// limit: memory
// limits: { memory_bytes: 83886080, wall_ms: 8000 }
// elsewhere:
//   gvisor: { outcomes: [memory_limit, signaled], reason: "gVisor may refuse memory first, and the engine then ends itself" }
const hoard = [];
for (;;) hoard.push(Buffer.alloc(1 << 20, 1));
