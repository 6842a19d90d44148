// tries: "traces of whoever had the sandbox before: its time, its files, its numbers"
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { wall_ms: 5000 }
#include <filesystem>
#include <iostream>
#include <unistd.h>

int main()
{
    for (const char *folder : {"/tmp", "/dev/shm"})
        for (const auto &entry : std::filesystem::directory_iterator(folder))
            std::cout << "ESCAPED " << entry.path() << '\n';
    // The compiler's stage had some of them; another run would have had many more.
    if (getpid() > 200)
        std::cout << "ESCAPED process " << getpid() << '\n';
    std::cout << "went on\n";
}
