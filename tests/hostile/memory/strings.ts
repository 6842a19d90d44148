// tries: a string that doubles, flattened each time
// outcomes: [memory_limit, failed, signaled]
// limits: { memory_bytes: 100663296, wall_ms: 8000 }
const hoard: Uint8Array[] = [];
for (let text: string = "x"; ; text += text) hoard.push(new TextEncoder().encode(text));
