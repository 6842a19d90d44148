# tries: code of its own at the interpreter's start, by its variables
# refused: env.PYTHONPATH
# env: { PYTHONPATH: /work, PYTHONSTARTUP: /work/sitecustomize.py, PYTHONHASHSEED: "0", PYTHONINSPECT: "1" }
# files: { sitecustomize.py: "print('site')" }
# limits: { wall_ms: 5000 }
print("went on")
