// tries: computing on many threads at once
// outcomes: [cpu_limit]
// limit: cpu
// limits: { cpu_ms: 400, wall_ms: 10000, processes: 32 }
#include <thread>

int main()
{
    for (int i = 0; i < 16; i += 1)
        std::thread([] {
            for (volatile long count = 0;; count = count + 1) {
            }
        }).detach();
    for (volatile long count = 0;; count = count + 1) {
    }
}
