// Registers of the width that -march=native gives, by GCC's vector extensions; and how programs here measure and report.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>

#if defined(__AVX512F__)
constexpr int BYTES = 64;
#elif defined(__AVX__)
constexpr int BYTES = 32;
#else
constexpr int BYTES = 16;
#endif

typedef double Doubles __attribute__((vector_size(BYTES)));
typedef int64_t Longs __attribute__((vector_size(BYTES)));
typedef float Singles __attribute__((vector_size(BYTES)));
typedef int32_t Ints __attribute__((vector_size(BYTES)));

static inline Doubles all(double x) { return x - Doubles{}; }
static inline Singles all(float x) { return x - Singles{}; }
static inline Doubles magnitude(Doubles x) { return (Doubles)((Longs)x & 0x7fffffffffffffff); }
static inline Singles magnitude(Singles x) { return (Singles)((Ints)x & 0x7fffffff); }
static inline Doubles larger(Doubles a, Doubles b) { return a > b ? a : b; }
static inline Doubles smaller(Doubles a, Doubles b) { return a < b ? a : b; }
static inline Singles larger(Singles a, Singles b) { return a > b ? a : b; }
static inline Singles smaller(Singles a, Singles b) { return a < b ? a : b; }

// Seconds of this thread's processor: on a shared machine the clock on the wall measures the neighbours.
static inline double processor() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

// The median over runs of `calls` calls each, per call.
template <class F> static void report(const char *name, int runs, int calls, F &&f) {
    std::vector<double> seconds;
    for (int run = -2; run < runs; run++) {
        double start = processor();
        for (int call = 0; call < calls; call++) f();
        if (run >= 0) seconds.push_back((processor() - start) / calls);
    }
    std::sort(seconds.begin(), seconds.end());
    std::printf("%s %.9g\n", name, seconds[seconds.size() / 2]);
}
