// tries: types that the compiler unfolds without end
// outcomes: [compile_failed, memory_limit, time_limit, cpu_limit, output_limit]
// limits: { compile_wall_ms: 5000, compile_memory_bytes: 268435456, output_bytes: 50000 }
public class Main {
    interface N<Z> {}
    interface L<X> extends N<N<? super L<L<X>>>> {}

    static <X> void a(N<? super L<X>> n) {}

    static <Q> N<? super Q> b(L<N<? super Q>> l) {
        return l;
    }

    static <A> A pick(A x, A y) {
        return x;
    }

    public static void main(String[] args) {
        N<? super L<String>> n = b((L<N<? super L<String>>>) null);
        System.out.println(pick(pick(1, "a"), pick(pick(2L, 'c'), pick(3.0, new StringBuilder()))).toString() + n);
    }
}
