import { setFlagsFromString } from "node:v8";

/*
 * Settings of V8, made when this is imported.
 *
 * It collects garbage before it asks for more memory. Left alone it counts on all that the machine has: a server that
 * holds 30 MB then takes over 200 MB after some thousand runs, which the sandboxes lack. It lets what is held grow by a
 * tenth between two collections: with two hundred runs on a cluster at once that is 190 MiB in all instead of 202.
 */
setFlagsFromString("--optimize-for-size");
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--heap-growing-percent=10");

/*
 * Its background threads make no machine code. At the process's end Node waits for them, and one that has no room for
 * its code waits for the main thread to collect garbage: then neither ends (https://github.com/nodejs/node/issues/54918).
 * One in fifty refused starts never ended. What is compiled without these two compilers lacks nothing but their speed-up
 * of code that has been executed a few hundred times.
 */
setFlagsFromString("--no-concurrent-sparkplug");
setFlagsFromString("--no-maglev");
