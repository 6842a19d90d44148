# tries: the loopback and the service itself, by TCP over both protocols
# outcomes: [succeeded]
# stdout: "EACCES EACCES EACCES EACCES\n"
# limits: { wall_ms: 5000 }
import errno, socket

def attempt(family, address):
    try:
        connection = socket.socket(family)
        connection.settimeout(1)
        connection.connect(address)
        return "ESCAPED"
    except OSError as error:
        return errno.errorcode[error.errno]

print(
    attempt(socket.AF_INET, ("127.0.0.1", {{tcp}})),
    attempt(socket.AF_INET, ("127.0.0.1", {{api}})),
    attempt(socket.AF_INET6, ("::1", {{tcp}})),
    attempt(socket.AF_INET6, ("::ffff:127.0.0.1", {{tcp}})),
)
