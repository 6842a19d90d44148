# tries: the service's environment, beyond what the language shows of its own
# outcomes: [succeeded]
# limits: { wall_ms: 5000 }
import ctypes, glob, os

print(dict(os.environb))
environment = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
index = 0
while environment[index]:
    print(environment[index])
    index += 1
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/auxv") + glob.glob("/proc/[0-9]*/maps"):
    try:
        print(path, open(path, "rb").read())
    except OSError:
        pass
