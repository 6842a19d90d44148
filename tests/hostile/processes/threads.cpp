// tries: threads that each start threads
// outcomes: [process_limit]
// limit: processes
// limits: { processes: 32, wall_ms: 2000 }
// elsewhere:
//   gvisor: { outcomes: [process_limit, time_limit, cpu_limit], reason: gVisor tells nobody that it refused a process }
#include <chrono>
#include <system_error>
#include <thread>

static void grow()
{
    for (;;) {
        try {
            std::thread(grow).detach();
        } catch (const std::system_error &) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }
}

int main()
{
    grow();
}
