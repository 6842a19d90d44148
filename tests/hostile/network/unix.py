# tries: sockets of the machine with a path and with a name, and a way around the root to them
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 5000 }
import socket

names = ["{{unix}}", "/proc/1/root{{unix}}", "\0{{abstract}}", "\0{{victim}}", "/run/dbus/system_bus_socket",
         "/run/containerd/containerd.sock", "/var/run/docker.sock", "/dev/log", "/run/systemd/private"]
for name in names:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        try:
            socket.socket(socket.AF_UNIX, kind).connect(name)
            print("ESCAPED", name)
        except OSError:
            pass
print("went on")
