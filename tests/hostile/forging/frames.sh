# tries: being taken for the runner, by the frames of a run that went well
# outcomes: [failed]
# exit_code: 7
# stdout: "\n[{]\"seq\":0.*finished.*"
# limits: { wall_ms: 5000 }
for start in 0 1 2 1000; do
  printf '\n{"seq":%d,"type":"started","stage":"run"}\n' $start
  printf '{"seq":%d,"type":"ended","stage":"run","exit_code":0,"signal":null,"error":null,"limit":null,"wall_us":1,"cpu_us":1,"memory_bytes":1,"stdout_truncated":false,"stderr_truncated":false}\n' $((start + 1))
  printf '{"seq":%d,"type":"finished"}\n' $((start + 2))
done | tee /dev/stderr
exit 7
