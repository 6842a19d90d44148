# tries: recursion deeper than the stack
# outcomes: [signaled, failed, memory_limit]
# limits: { wall_ms: 5000, memory_bytes: 134217728 }
import sys

sys.setrecursionlimit(1 << 30)


class Deep:
    def __repr__(self):
        return repr(self)


repr(Deep())
