# tries: the loopback by the shell's own way
# outcomes: [failed]
# stdout: ""
# limits: { wall_ms: 5000 }
exec 3<>/dev/tcp/127.0.0.1/{{tcp}} && echo ESCAPED
exec 3<>/dev/udp/127.0.0.1/{{udp}} && echo ESCAPED >&3
