# Shows what a sandbox has of the machine, and counts down.
echo "processors: $(nproc)"
echo "processes:  $(ls -d /proc/[0-9]* | wc -l)"
echo "interfaces: $(ls /sys/class/net 2>/dev/null | xargs)"

for count in 3 2 1; do
  echo "$count ..."
  sleep 0.3
done
echo "done" >&2
