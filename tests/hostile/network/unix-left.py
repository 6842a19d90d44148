# tries: to leave sockets behind that have names, known only from messages in flight to one another
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 6000 }
import array
import socket


def hand_over(through, passed):
    through.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [passed.fileno()]))])


for number in range(12):
    one, other = socket.socketpair()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"\0left {number}")
    listening.listen()
    connected = socket.socket(socket.AF_UNIX)
    connected.connect(f"\0left {number}")
    for passed in (one, other, listening, connected):
        hand_over(one, passed)
        hand_over(other, passed)
    hand_over(connected, listening)
print("went on")
