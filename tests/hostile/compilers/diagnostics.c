// tries: more complaints than anyone can keep
// outcomes: [output_limit]
// limit: output
// limits: { compile_wall_ms: 8000, output_bytes: 5000 }
#define A(x) x x x x x x x x x x
#define B(x) A(A(x))

int main(void)
{
    B(B(1 = 1;))
}
