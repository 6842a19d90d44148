// tries: ending the process above it and those beside it
// outcomes: [failed]
// exit_code: 7
// limits: { wall_ms: 5000 }
for (const pid of [1, process.ppid, {{test}}, 2]) {
  for (const signal of ["SIGTERM", "SIGKILL", "SIGSTOP", "SIGINT"]) {
    try {
      if (pid !== process.pid) process.kill(pid, signal);
    } catch {}
  }
}
setTimeout(() => process.exit(7), 100);
