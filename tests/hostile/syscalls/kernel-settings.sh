# tries: the kernel's settings, its cgroups and its ways to start programs of root
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 6000 }
# elsewhere:
#   gvisor:
#     outcomes: [succeeded]
#     known: "ESCAPED oom\n"
#     reason: "it is gVisor's own file, by which the node chooses nothing"
for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/hostname \
  /proc/sys/kernel/randomize_va_space /proc/sys/vm/overcommit_memory /proc/sys/vm/drop_caches /proc/sys/fs/binfmt_misc/register \
  /proc/sysrq-trigger /proc/sys/user/max_user_namespaces /sys/kernel/uevent_helper /sys/power/state \
  /proc/self/oom_score_adj /proc/self/setgroups /proc/self/gid_map /proc/1/oom_score_adj; do
  if echo 0 >"$file"; then
    # Its own score may go up, never down.
    [ "$file" = /proc/self/oom_score_adj ] || echo "ESCAPED $file"
  fi
done 2>/dev/null
{ echo -1000 >/proc/self/oom_score_adj && echo "ESCAPED oom"; } 2>/dev/null
for folder in /sys/fs/cgroup /sys/fs/cgroup/*; do
  for file in release_agent cgroup.procs tasks notify_on_release memory.max memory.limit_in_bytes pids.max cgroup.kill; do
    if echo $$ >"$folder/$file"; then echo "ESCAPED $folder/$file"; fi
  done
  if mkdir "$folder/mine"; then echo "ESCAPED $folder"; fi
done 2>/dev/null
echo "went on"
