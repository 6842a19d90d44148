import { setFlagsFromString } from "node:v8";

/*
 * Settings of V8, made when this is imported.
 *
 * It collects garbage before it asks for more memory. Left alone it counts on all that the machine has: a server that
 * holds 30 MB then takes over 200 MB after some thousand runs, which the sandboxes lack. It lets what is held grow by a
 * tenth between two collections, and the space for what is new not at all. That is so small that the main thread collects
 * it alone: with several the server took 4 to 18 MB more, and no less time. (What starts the server sets MALLOC_ARENA_MAX: an
 * allocator's arena for each of its threads would take 15 MB more.)
 */
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--heap-growing-percent=10");
setFlagsFromString("--no-parallel-scavenge");

/*
 * Its background threads allocate nothing for the code that they make. At the process's end Node waits for them, and one
 * that has no room for its code waits for the main thread to collect garbage: then neither ends
 * (https://github.com/nodejs/node/issues/54918). One in fifty refused starts never ended.
 */
setFlagsFromString("--no-concurrent-sparkplug");
setFlagsFromString("--no-maglev-build-code-on-background");
setFlagsFromString("--no-maglev-deopt-data-on-background");
