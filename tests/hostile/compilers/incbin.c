// tries: files of the machine as data of its program
// outcomes: [compile_failed]
// limits: { compile_wall_ms: 8000 }
__asm__(".incbin \"/proc/1/environ\"");
__asm__(".incbin \"{{file}}\"");
__asm__(".include \"/proc/1/cmdline\"");

int main(void)
{
}
