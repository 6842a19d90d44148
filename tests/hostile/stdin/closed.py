# tries: closing the input while it is still being fed
# outcomes: [failed]
# exit_code: 3
# stdin: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
# stdin_repeated: 160000
# limits: { wall_ms: 5000 }
import os, time

os.read(0, 10)
os.close(0)
time.sleep(0.2)
os._exit(3)
