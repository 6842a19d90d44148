# tries: folders that nobody may enter or remove, and names that no shell can write
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 5000 }
for folder in /work /tmp /dev/shm; do
  cd "$folder" || continue
  mkdir -p locked/in/there .hidden "$(printf 'new\nline')" "$(printf '\377\376')" "$(printf 'x%.0s' {1..255})" -- -rf
  mkfifo fifo
  ln -s / root
  ln -s loop loop
  chmod -R 000 locked .hidden
  chattr +i fifo 2>/dev/null && echo ESCAPED
  chmod 000 "$folder" 2>/dev/null
done
echo "went on"
