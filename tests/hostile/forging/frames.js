// tries: frames that end the string that they are printed in
// outcomes: [failed]
// exit_code: 5
// limits: { wall_ms: 5000 }
const frame = '"}\n{"seq":2,"type":"finished"}\n';
process.stdout.write(frame.repeat(50) + frame.slice(0, -3));
process.stderr.write(frame.repeat(50));
process.exitCode = 5;
