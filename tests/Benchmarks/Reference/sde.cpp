// Ornstein-Uhlenbeck processes and geometric Brownian motions, 16 dimensions, 4096 samples, 1000 steps of Euler and Maruyama in float32, by
// hand: every component by itself, 32 at a time, along the runtime's Brownian paths (Philox4x32-10, Box and Muller in float64, Levy's
// halving from root cells of 1.024 down to steps of 1e-3). Prints the name and the median of the processor's seconds.
#include "vectors.hpp"
#if defined(__AVX2__)
#include <immintrin.h>
#endif

constexpr int COMPONENTS = 4096 * 16, STEPS = 1000, GROUP = 32, LOG = 8, LEVELS = 10, LANES = BYTES / 8;
static float out[COMPONENTS];

static inline Longs word(uint64_t x) { return (int64_t)x - Longs{}; }
static inline Longs product(Longs a, uint32_t b) {
#if defined(__AVX512F__)
    return (Longs)_mm512_mul_epu32((__m512i)a, (__m512i)word(b));
#elif defined(__AVX2__)
    return (Longs)_mm256_mul_epu32((__m256i)a, (__m256i)word(b));
#else
    return (a & 0xffffffff) * (int64_t)b;
#endif
}
typedef uint64_t Words __attribute__((vector_size(BYTES)));
static inline Longs right(Longs a, int n) { return (Longs)((Words)a >> n); }
static inline Doubles toDouble(Longs a) { return (Doubles)(a | 0x4330000000000000) - 4503599627370496.0; }
static inline Doubles root(Doubles x) {
    for (int i = 0; i < LANES; i++) x[i] = std::sqrt(x[i]);
    return x;
}

static inline Doubles minusTwoLog(Doubles u) {
    Longs shifted = (Longs)u - 0x3FE6A09E667F3BCD;
    Doubles e = toDouble(right(shifted + (64L << 52), 52)) - 64.0;
    Doubles m = (Doubles)((shifted & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD), s = (m - 1.0) / (m + 1.0), z = s * s, sum = all(1.0 / 19);
    for (int k = 17; k > 0; k -= 2) sum = sum * z + 1.0 / k;
    return e * (-2 * 0.693147180559945309417232) + -4.0 * s * sum;
}

static inline void boxMuller(Longs u, Longs v, double *cosine, double *sine) {
    const double unit = 1.0 / 4294967296.0;
    Doubles radius = root(minusTwoLog((toDouble(u) + 0.5) * unit));
    Longs quadrant = right(v + 0x20000000, 30);
    Doubles x = (toDouble(v) - toDouble(quadrant) * 1073741824.0 + 0.5) * (2 * M_PI * unit), z = x * x;
    Doubles s = all(-1.0 / 1307674368000), c = all(1.0 / 20922789888000);
    for (double a : {1.0 / 6227020800, -1.0 / 39916800, 1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6}) s = s * z + a;
    for (double a : {-1.0 / 87178291200, 1.0 / 479001600, -1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24, -0.5, 1.0}) c = c * z + a;
    s = s * z * x + x;
    Longs swap = (quadrant & 1) != 0, sign = word(1UL << 63);
    Doubles turnedSine = (Doubles)((Longs)(swap ? c : s) ^ ((quadrant << 62) & sign));
    Doubles turnedCosine = (Doubles)((Longs)(swap ? s : c) ^ (((quadrant + 1) << 62) & sign));
    turnedCosine *= radius;
    turnedSine *= radius;
    std::memcpy(cosine, &turnedCosine, BYTES);
    std::memcpy(sine, &turnedSine, BYTES);
}

static void normals(uint64_t seed, uint64_t group, uint64_t domain, uint64_t index, double *z) {
    for (int lane = 0; lane < 8; lane += LANES) {
        Longs c0, c1 = word(group * 8 >> 32 | domain << 24), c2 = word(index & 0xffffffff), c3 = word(index >> 32);
        for (int i = 0; i < LANES; i++) c0[i] = (group * 8 + lane + i) & 0xffffffff;
        uint32_t k0 = seed, k1 = seed >> 32;
        for (int round = 0; round < 10; round++, k0 += 0x9E3779B9, k1 += 0xBB67AE85) {
            Longs p0 = product(c0, 0xD2511F53), p1 = product(c2, 0xCD9E8D57);
            c0 = right(p1, 32) ^ c1 ^ word(k0);
            c2 = right(p0, 32) ^ c3 ^ word(k1);
            c1 = p1;
            c3 = p0;
        }
        boxMuller(c0 & 0xffffffff, c1 & 0xffffffff, z + lane, z + 8 + lane);
        boxMuller(c2 & 0xffffffff, c3 & 0xffffffff, z + 16 + lane, z + 24 + lane);
    }
}

typedef double Row[GROUP];
static void halve(uint64_t group, int level, uint64_t index, const Row &whole, Row &left) {
    normals(1, group, level, index, left);
    double deviation = 0.5 * std::sqrt(std::ldexp(1.024, -level));
    for (int i = 0; i < GROUP; i++) left[i] = 0.5 * whole[i] + deviation * left[i];
}

static void refine(uint64_t group, int level, uint64_t index, Row *cells, int count) {
    if (count == 1) return;
    Row whole;
    std::memcpy(whole, cells[0], sizeof(Row));
    halve(group, level, index, whole, cells[0]);
    for (int i = 0; i < GROUP; i++) cells[count / 2][i] = whole[i] - cells[0][i];
    refine(group, level + 1, 2 * index, cells, count / 2);
    refine(group, level + 1, 2 * index + 1, cells + count / 2, count / 2);
}

template <class Step> static void solve(Step step) {
    static Row cells[1 << LOG];
    for (int group = 0; group < COMPONENTS / GROUP; group++) {
        float x[GROUP];
        for (float &component : x) component = 1;
        for (int block = 0; block << LOG < STEPS; block++) {
            Row left;
            normals(1, group, 255, block >> (LEVELS - LOG), cells[0]);
            for (double &z : cells[0]) z *= std::sqrt(1.024);
            for (int level = 0; level < LEVELS - LOG; level++) {
                halve(group, level, block >> (LEVELS - LOG - level), cells[0], left);
                bool goesLeft = (block >> (LEVELS - LOG - level - 1) & 1) == 0;
                for (int i = 0; i < GROUP; i++) cells[0][i] = goesLeft ? left[i] : cells[0][i] - left[i];
            }
            refine(group, LEVELS - LOG, block, cells, 1 << LOG);
            for (int n = 0; n < std::min(1 << LOG, STEPS - (block << LOG)); n++)
                for (int i = 0; i < GROUP; i++) x[i] = step(x[i], (float)cells[n][i]);
        }
        std::memcpy(out + group * GROUP, x, sizeof x);
    }
}

int main() {
    report("ou", 5, 1, [] { solve([](float x, float dW) { return x + 1.0f * (0.1f - x) * 1e-3f + 0.3f * dW; }); });
    report("gbm", 5, 1, [] { solve([](float x, float dW) { return x + 0.1f * x * 1e-3f + 0.3f * x * dW; }); });
    double sum = 0;
    for (float x : out) sum += x;
    std::fprintf(stderr, "%g\n", sum);    // what was computed is used
}
