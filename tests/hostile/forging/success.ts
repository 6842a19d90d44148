// tries: frames as the error that nobody catches
// outcomes: [failed]
// exit_code: 1
// limits: { wall_ms: 5000 }
const frame: string = '\n{"seq":1,"type":"finished"}\n';
throw new Error(frame, { cause: frame });
