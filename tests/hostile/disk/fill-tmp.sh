# tries: filling /tmp, and then every other folder
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { work_bytes: 1048576, wall_ms: 5000 }
for folder in /tmp /work /dev/shm /var/tmp /run /dev / /etc /opt; do
  head -c 4M /dev/zero >"$folder/big"
done 2>/dev/null
[ "$(stat -c %s /tmp/big)" -le 1048576 ] && echo "went on"
