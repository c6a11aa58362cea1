// 10,000 Lorenz systems, x(0) = (1, 0, 0), rho from 0 to 21, t from 0 to 1, in float64: what a careful person writes by hand.
//   rk4      steps of 1e-3; several registers of trajectories at a time, so that one waits while another computes
//   dopri5   rtol = atol = 1e-6, every trajectory with its own step
//   tsit5    the same
// Prints the name and the median of the processor's seconds.
#include "vectors.hpp"

constexpr int N = 10000, LANES = BYTES / 8;
constexpr double SIGMA = 10, BETA = 8.0 / 3;
static double out[N][3];
static double rho(int i) { return 21.0 * std::min(i, N - 1) / (N - 1); }

struct State { Doubles x, y, z; };
static inline State operator+(State a, State b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
static inline State operator*(Doubles s, State a) { return {s * a.x, s * a.y, s * a.z}; }
static inline State slope(State s, Doubles r) { return {SIGMA * (s.y - s.x), s.x * (r - s.z) - s.y, s.x * s.y - BETA * s.z}; }

static Doubles rhos(int first) {
    Doubles r;
    for (int lane = 0; lane < LANES; lane++) r[lane] = rho(first + lane);
    return r;
}

static void store(int first, State s) {
    for (int lane = 0; lane < LANES && first + lane < N; lane++) {
        out[first + lane][0] = s.x[lane];
        out[first + lane][1] = s.y[lane];
        out[first + lane][2] = s.z[lane];
    }
}

template <int GROUPS> static void rk4(int steps, double step) {
    const Doubles h = all(step), half = all(step / 2), sixth = all(step / 6), third = all(step / 3);
    for (int first = 0; first < N; first += GROUPS * LANES) {
        State s[GROUPS];
        Doubles r[GROUPS];
        for (int g = 0; g < GROUPS; g++) { s[g] = {all(1.0), all(0.0), all(0.0)}; r[g] = rhos(first + g * LANES); }
        for (int n = 0; n < steps; n++)
#pragma GCC unroll 1
            for (int g = 0; g < GROUPS; g++) {
                State k1 = slope(s[g], r[g]), k2 = slope(s[g] + half * k1, r[g]), k3 = slope(s[g] + half * k2, r[g]), k4 = slope(s[g] + h * k3, r[g]);
                s[g] = s[g] + third * (k2 + k3) + sixth * (k1 + k4);
            }
        for (int g = 0; g < GROUPS; g++) store(first + g * LANES, s[g]);
    }
}

struct Dopri5 {
    static constexpr double a[7][6] = {{}, {1.0 / 5}, {3.0 / 40, 9.0 / 40}, {44.0 / 45, -56.0 / 15, 32.0 / 9},
        {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
        {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
        {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84}};
    static constexpr double e[7] = {71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40};
};

struct Tsit5 {
    static constexpr double a[7][6] = {{}, {0.161}, {-0.008480655492356989, 0.335480655492357},
        {2.8971530571054935, -6.359448489975075, 4.3622954328695815},
        {5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525},
        {5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383},
        {0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774}};
    static constexpr double e[7] = {0.00178001105222577714, 0.0008164344596567469, -0.007880878010261995, 0.1447110071732629,
        -0.5823571654525552, 0.45808210592918697, -0.015151515151515152};
};

// log2 to nine digits: x = 2^e m, ln m = 2 artanh((m - 1) / (m + 1)).
static inline Doubles log2(Doubles x) {
    const int64_t halfRoot = 0x3FE6A09E667F3BCD, mantissa = 0x000FFFFFFFFFFFFF;
    Longs bits = (Longs)x - halfRoot;
    Doubles e = __builtin_convertvector(bits >> 52, Doubles), m = (Doubles)((bits & mantissa) + halfRoot), s = (m - 1) / (m + 1), q = s * s;
    constexpr double c = 2.8853900817779268;
    return (((((c / 11 * q + c / 9) * q + c / 7) * q + c / 5) * q + c / 3) * q + c) * s + e;
}

static inline Doubles exp2(Doubles x) {
    const double shift = 6755399441055744;
    Doubles n = x + shift, f = (x - (n - shift)) * 0.6931471805599453;
    Doubles p = (((((((f / 40320 + 1.0 / 5040) * f + 1.0 / 720) * f + 1.0 / 120) * f + 1.0 / 24) * f + 1.0 / 6) * f + 0.5) * f + 1) * f + 1;
    return (Doubles)((Longs)p + ((Longs)n << 52));
}

static inline Doubles error(State e, State before, State after, double tolerance) {
    Doubles x = e.x / (tolerance + tolerance * larger(magnitude(before.x), magnitude(after.x)));
    Doubles y = e.y / (tolerance + tolerance * larger(magnitude(before.y), magnitude(after.y)));
    Doubles z = e.z / (tolerance + tolerance * larger(magnitude(before.z), magnitude(after.z)));
    return (x * x + y * y + z * z) * (1.0 / 3);
}

template <class Pair, int GROUPS> static void adaptive(double tolerance) {
    const Doubles one = all(1.0), zero = all(0.0);
    for (int first = 0; first < N; first += GROUPS * LANES) {
        State s[GROUPS], k[GROUPS][7];
        Doubles r[GROUPS], t[GROUPS], h[GROUPS];
        for (int g = 0; g < GROUPS; g++) {
            r[g] = rhos(first + g * LANES);
            s[g] = {one, zero, zero};
            t[g] = zero;
            k[g][0] = slope(s[g], r[g]);
            Doubles ratio = error(s[g], s[g], s[g], tolerance) / larger(error(k[g][0], s[g], s[g], tolerance), all(1e-300));
            h[g] = smaller(all(0.1), 0.04 * exp2(0.5 * log2(ratio)));
        }
        for (bool any = true; any;) {
            any = false;
#pragma GCC unroll 1
            for (int g = 0; g < GROUPS; g++) {
                State y;
#pragma GCC unroll 7
                for (int i = 1; i < 7; i++) {
                    State sum = all(Pair::a[i][0]) * k[g][0];
#pragma GCC unroll 6
                    for (int j = 1; j < i; j++) if (Pair::a[i][j] != 0) sum = sum + all(Pair::a[i][j]) * k[g][j];
                    y = s[g] + h[g] * sum;
                    k[g][i] = slope(y, r[g]);
                }
                State e = all(Pair::e[0]) * k[g][0];
#pragma GCC unroll 7
                for (int j = 1; j < 7; j++) if (Pair::e[j] != 0) e = e + all(Pair::e[j]) * k[g][j];
                Doubles q = error(h[g] * e, s[g], y, tolerance);
                Longs moves = q <= 1.0;
                s[g] = {moves ? y.x : s[g].x, moves ? y.y : s[g].y, moves ? y.z : s[g].z};
                k[g][0] = {moves ? k[g][6].x : k[g][0].x, moves ? k[g][6].y : k[g][0].y, moves ? k[g][6].z : k[g][0].z};
                t[g] = moves ? t[g] + h[g] : t[g];
                Doubles factor = 0.9 * exp2(-0.1 * log2(larger(q, all(1e-12))));
                factor = smaller(moves ? all(10.0) : one, larger(all(0.2), factor));
                Doubles left = 1.0 - t[g];
                Longs more = left > 1e-14;
                h[g] = more ? smaller(h[g] * factor, left) : zero;
                for (int lane = 0; lane < LANES; lane++) any |= more[lane] != 0;
            }
        }
        for (int g = 0; g < GROUPS; g++) store(first + g * LANES, s[g]);
    }
}

int main() {
    report("rk4", 9, 1, [] { rk4<4>(1000, 1e-3); });
    report("dopri5", 15, 4, [] { adaptive<Dopri5, 2>(1e-6); });
    report("tsit5", 15, 4, [] { adaptive<Tsit5, 2>(1e-6); });
    double sum = 0;
    for (auto &o : out) sum += o[0];
    std::fprintf(stderr, "%g\n", sum);    // what was computed is used
}
