# tries: code of its own at the shell's start, and functions by variables
# refused: env.BASH_ENV
# env: { BASH_ENV: /work/first.sh, ENV: /work/first.sh, SHELLOPTS: xtrace, PS4: "$(id >&2)", IFS: "/" }
# files: { first.sh: "printf 'first\\n'" }
# limits: { wall_ms: 5000 }
printf 'went on\n'
