# tries: the kernel's sockets for cryptography, virtual machines, Bluetooth and routes
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 5000 }
import socket

for family in (socket.AF_ALG, socket.AF_VSOCK, socket.AF_BLUETOOTH, socket.AF_NETLINK, socket.AF_CAN, socket.AF_TIPC, 44, 29, 15):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        try:
            socket.socket(family, kind)
            print("ESCAPED", family, kind)
        except OSError:
            pass
print("went on")
