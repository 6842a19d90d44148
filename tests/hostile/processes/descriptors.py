# tries: as many open files, pipes and sockets as there are in the machine
# outcomes: [succeeded]
# stdout: "EMFILE EMFILE EMFILE EMFILE\n"
# limits: { open_files: 64, wall_ms: 5000 }
import errno, os, socket, tempfile

def take_all(take):
    held = []
    try:
        while True:
            held.append(take())
    except OSError as error:
        for one in held:
            for part in one if isinstance(one, tuple) else (one,):
                part.close() if hasattr(part, "close") else os.close(part)
        return errno.errorcode[error.errno]

print(
    take_all(lambda: os.open("/dev/null", os.O_RDONLY)),
    take_all(os.pipe),
    take_all(socket.socketpair),
    take_all(lambda: os.memfd_create("x")),
)
