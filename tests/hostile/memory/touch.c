// tries: touching each page of more memory than it may have
// outcomes: [memory_limit]
// limit: memory
// limits: { memory_bytes: 33554432, wall_ms: 8000 }
#include <stdlib.h>
#include <string.h>

int main(void)
{
    for (;;) {
        char *piece = malloc(4 << 20);
        if (piece != NULL)
            memset(piece, 1, 4 << 20);
    }
}
