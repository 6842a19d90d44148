# tries: an input that a daemon holds, half read
# outcomes: [succeeded]
# stdout: "xxxx\n"
# stdin: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
# stdin_repeated: 16000
# limits: { wall_ms: 10000 }
(setsid sleep 1000 &) 2>/dev/null
head -c 4
echo
