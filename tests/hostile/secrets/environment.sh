# tries: the service's environment, by every process that it can see
# outcomes: [succeeded]
# limits: { wall_ms: 5000 }
env
set
cat /proc/*/environ /proc/*/task/*/environ /proc/*/cmdline 2>/dev/null | tr '\0' '\n'
exit 0
