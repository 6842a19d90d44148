# tries: what the kernel tells of the machine, its memory, its log and its keys
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 5000 }
for file in /proc/kcore /proc/kmsg /proc/kpagecount /proc/kpageflags /proc/kpagecgroup /proc/1/mem /dev/mem \
  /sys/kernel/debug/sched/debug /sys/kernel/security/lsm /sys/kernel/tracing/trace /proc/vmallocinfo \
  /proc/slabinfo /proc/timer_list /proc/sched_debug /sys/firmware/dmi/tables/DMI /sys/class/dmi/id/product_uuid; do
  if [ -n "$(head -c 16 "$file" | tr -d '\0')" ]; then echo "ESCAPED $file"; fi
done 2>/dev/null
if grep -qv '^0000000000000000' /proc/kallsyms; then echo "ESCAPED addresses"; fi 2>/dev/null
if grep -q . /proc/keys; then echo "ESCAPED keys"; fi 2>/dev/null
if dmesg >/dev/null 2>&1; then echo "ESCAPED log"; fi
echo "went on"
