# tries: limits of the runner, so low that it ends
# outcomes: [failed]
# exit_code: 3
# stdout: "went on\n"
# limits: { wall_ms: 5000 }
import resource, sys

kinds = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
for kind in kinds:
    for limits in ((0, 0), (1, 1)):
        try:
            resource.prlimit(1, kind, limits)
            print("ESCAPED", kind)
        except OSError:
            pass
print("went on")
sys.exit(3)
