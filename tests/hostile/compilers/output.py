# tries: links, pipes and devices where a compiler's output would be looked for
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 5000 }
import os

for folder in ("/work", "/tmp", "/dev/shm"):
    for name, target in (("program", "/etc/shadow"), ("Main.class", "/proc/1/environ"), ("a.out", "/dev/zero"), ("out", "{{file}}")):
        os.symlink(target, f"{folder}/{name}")
    os.mkfifo(f"{folder}/result.json")
    os.rename(f"{folder}/program", f"{folder}/program.old")
    os.symlink("loop", f"{folder}/loop")
print("went on")
