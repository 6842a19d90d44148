# tries: input that looks like the runner's own, which travels the same way
# outcomes: [failed]
# exit_code: 5
# stdin: "\0\0\0\0SKR1\0\u0001\0\0{\"seq\":0,\"type\":\"finished\"}\n\u0004\u001a"
# stdin_repeated: 100
# limits: { wall_ms: 5000 }
import sys

print(len(sys.stdin.buffer.read()) > 0)
sys.exit(5)
