// tries: files of the machine as headers, by their paths and past every root
// outcomes: [compile_failed]
// limits: { compile_wall_ms: 8000 }
#include "{{file}}"
#include "/proc/1/root{{file}}"
#include "../../../../../..{{file}}"
#include "/proc/1/environ"
#include "/var/run/secrets/kubernetes.io/serviceaccount/token"

int main()
{
}
