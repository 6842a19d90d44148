// tries: going on after every refusal of memory
// outcomes: [memory_limit]
// limit: memory
// limits: { memory_bytes: 33554432, wall_ms: 8000 }
#include <new>
#include <vector>

int main()
{
    std::vector<std::vector<char>> hoard;
    for (;;) {
        try {
            hoard.emplace_back(1 << 20, 'x');
        } catch (const std::bad_alloc &) {
        }
    }
}
