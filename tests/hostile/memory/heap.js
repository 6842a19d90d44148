// tries: objects until the engine gives up
// outcomes: [memory_limit, signaled]
// limits: { memory_bytes: 100663296, wall_ms: 10000 }
const hoard = [];
for (;;) hoard.push(new Array(10000).fill({}));
