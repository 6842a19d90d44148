// tries: a file of a terabyte without any content
// outcomes: [signaled]
// limit: file_size
// signal: SIGXFSZ
// limits: { wall_ms: 5000 }
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
    return ftruncate(open("/tmp/sparse", O_CREAT | O_RDWR, 0600), (off_t)1 << 40);
}
