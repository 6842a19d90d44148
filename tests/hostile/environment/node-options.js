// tries: options and modules of the engine, by its variables
// refused: env.NODE_OPTIONS
// env: { NODE_OPTIONS: "--require /work/first.js --max-old-space-size=100000", NODE_PATH: /root, NODE_EXTRA_CA_CERTS: /etc/shadow, NODE_REPL_EXTERNAL_MODULE: /work/first.js }
// files: { first.js: "console.log('required')" }
// limits: { wall_ms: 5000 }
console.log("went on");
