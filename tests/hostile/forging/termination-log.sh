# tries: a message to the cluster, as if it came from the container's end
# outcomes: [failed]
# exit_code: 8
# stdout: "went on\n"
# limits: { wall_ms: 5000 }
# elsewhere:
#   gvisor:
#     outcomes: [failed]
#     exit_code: 8
#     known: "ESCAPED /dev/termination-log\n"
#     reason: "gVisor has no Landlock; nobody reads the file, and its size is bounded as every file's is"
for path in /dev/termination-log /dev/console /dev/log /dev/kmsg /dev/tty /run/log; do
  if echo '{"exitCode":0,"reason":"Completed"}' >>"$path"; then echo "ESCAPED $path"; fi
  if head -c 100M /dev/zero >>"$path"; then echo "ESCAPED $path"; fi
done 2>/dev/null
echo "went on"
exit 8
