// A training step of the spiral neural ODE, float32, batch 20 in registers: dy/dt = W2 tanh(W1 y^3 + b1) + b2, 2-50-2, dopri5 at
// 1e-7 and 1e-9 with one step for the batch, ten saved times on [0, 0.225] by dense output, mean absolute error, exact
// backpropagation through the steps taken (their sizes constant), RMSprop: what a careful person writes by hand.
//   forward    the solve alone
//   step       all of it, the weights put back afterwards so that every step is the first
// Prints the name and the median of the processor's seconds, and the steps taken. Its argument is a file of float32 numbers to work on:
// W1, b1, W2, b2, the initial states [batch, 2] and the targets [times, batch, 2].
#include "vectors.hpp"
#include <cstdlib>

constexpr int LANES = BYTES / 4, BATCH = 20, GROUPS = (BATCH + LANES - 1) / LANES, HIDDEN = 50, TIMES = 10, PARAMETERS = 252;
constexpr float RTOL = 1e-7f, ATOL = 1e-9f;

struct Weights { float w1[HIDDEN][2], b1[HIDDEN], w2[2][HIDDEN], b2[2]; };
struct Sums { Singles w1[HIDDEN][2], b1[HIDDEN], w2[2][HIDDEN], b2[2]; };
struct State { Singles c[2][GROUPS]; };
struct Terms { State y; Singles hidden[HIDDEN][GROUPS]; };
struct Step { double t, h; State y, k[7]; Terms terms[7]; int first, after; };
static Weights weights;
static Sums sums;
static Singles present[GROUPS];    // 1 in lanes that have a sample
static State initial, saved[TIMES], target[TIMES];
static Step steps[64];
static int taken;

// tanh by the rational approximation 13/6 that Eigen and XLA use in single precision.
static inline Singles tanh(Singles x) {
    x = smaller(larger(x, all(-7.90531110763549805f)), all(7.90531110763549805f));
    Singles s = x * x, p = ((((((-2.76076847742355e-16f * s + 2.00018790482477e-13f) * s - 8.60467152213735e-11f) * s + 5.12229709037114e-08f) * s
        + 1.48572235717979e-05f) * s + 6.37261928875436e-04f) * s + 4.89352455891786e-03f);
    return x * p / (((1.19825839466702e-06f * s + 1.18534705686654e-04f) * s + 2.26843463243900e-03f) * s + 4.89352518554385e-03f);
}

static void drift(const State &y, State &slope, Terms &terms) {
    State x, sum;
    for (int g = 0; g < GROUPS; g++) for (int c = 0; c < 2; c++) { x.c[c][g] = y.c[c][g] * y.c[c][g] * y.c[c][g]; sum.c[c][g] = all(weights.b2[c]); }
    for (int j = 0; j < HIDDEN; j++)
        for (int g = 0; g < GROUPS; g++) {
            Singles h = tanh(weights.w1[j][0] * x.c[0][g] + (weights.w1[j][1] * x.c[1][g] + weights.b1[j]));
            terms.hidden[j][g] = h;
            for (int c = 0; c < 2; c++) sum.c[c][g] += weights.w2[c][j] * h;
        }
    for (int g = 0; g < GROUPS; g++) for (int c = 0; c < 2; c++) slope.c[c][g] = sum.c[c][g] * present[g];
    terms.y = y;
}

// Adds to `gradient` what `cotangent` of the slope amounts to, and to the sums.
static void pull(const Terms &terms, const State &cotangent, State &gradient) {
    State x, inner = {};
    for (int g = 0; g < GROUPS; g++) for (int c = 0; c < 2; c++) x.c[c][g] = terms.y.c[c][g] * terms.y.c[c][g] * terms.y.c[c][g];
    for (int c = 0; c < 2; c++) for (int g = 0; g < GROUPS; g++) sums.b2[c] += cotangent.c[c][g];
    for (int j = 0; j < HIDDEN; j++)
        for (int g = 0; g < GROUPS; g++) {
            Singles h = terms.hidden[j][g], of = (weights.w2[0][j] * cotangent.c[0][g] + weights.w2[1][j] * cotangent.c[1][g]) * (1.0f - h * h);
            sums.b1[j] += of;
            for (int c = 0; c < 2; c++) {
                sums.w2[c][j] += cotangent.c[c][g] * h;
                sums.w1[j][c] += of * x.c[c][g];
                inner.c[c][g] += weights.w1[j][c] * of;
            }
        }
    for (int g = 0; g < GROUPS; g++) for (int c = 0; c < 2; c++) gradient.c[c][g] += 3.0f * terms.y.c[c][g] * terms.y.c[c][g] * inner.c[c][g];
}

static const double A[7][6] = {{}, {1.0 / 5}, {3.0 / 40, 9.0 / 40}, {44.0 / 45, -56.0 / 15, 32.0 / 9},
    {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
    {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
    {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84}};
static const double E[7] = {71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40};
static const double D[7] = {-12715105075.0 / 11282082432, 0, 87487479700.0 / 32700410799, -10690763975.0 / 1880347072,
    701980252875.0 / 199316789632, -1453857185.0 / 822651844, 69997945.0 / 29380423};

static void dense(double at, double *weight) {
    for (int i = 0; i < 7; i++) {
        double b = i < 6 ? A[6][i] : 0, bs = (i == 0) - b;
        weight[i] = at * (b + (1 - at) * (bs + at * (b - (i == 6) - bs + (1 - at) * D[i])));
    }
}

// sum += factor * term
static inline void add(State &sum, double factor, const State &term) {
    for (int c = 0; c < 2; c++) for (int g = 0; g < GROUPS; g++) sum.c[c][g] += (float)factor * term.c[c][g];
}

static double norm(const State &e, const State &before, const State &after) {
    Singles sum = all(0.0f);
    for (int c = 0; c < 2; c++)
        for (int g = 0; g < GROUPS; g++) {
            Singles q = e.c[c][g] / (ATOL + RTOL * larger(magnitude(before.c[c][g]), magnitude(after.c[c][g]))) * present[g];
            sum += q * q;
        }
    double total = 0;
    for (int lane = 0; lane < LANES; lane++) total += sum[lane];
    return std::sqrt(total / (2 * BATCH));
}

static double timeOf(int i) { return 0.225 * i / (TIMES - 1); }

static void forward() {
    const double end = 0.225;
    State y = initial, z;
    double t = 0;
    int next = 1;
    taken = 0;
    saved[0] = y;
    Step *step = steps;
    drift(y, step->k[0], step->terms[0]);
    double d0 = norm(y, y, y), d1 = norm(step->k[0], y, y), h = std::min(0.01 * d0 / d1, end);
    z = y;
    add(z, h, step->k[0]);
    drift(z, step->k[1], step->terms[1]);
    add(step->k[1], -1, step->k[0]);
    h = std::min(100 * h, std::pow(0.01 / std::max(d1, norm(step->k[1], y, y) / h), 0.2));
    double previous = 1;
    while (t < end) {
        bool last = 1.01 * h >= end - t;
        if (last) h = end - t;
        step->t = t;
        step->h = h;
        step->y = y;
        for (int i = 1; i < 7; i++) {
            z = y;
            for (int j = 0; j < i; j++) if (A[i][j] != 0) add(z, A[i][j] * h, step->k[j]);
            drift(z, step->k[i], step->terms[i]);
        }
        State e = {};
        for (int j = 0; j < 7; j++) if (E[j] != 0) add(e, E[j] * h, step->k[j]);
        double error = norm(e, y, z);
        if (error > 1) { h *= std::max(0.2, 0.9 * std::pow(error, -0.2)); continue; }
        step->first = next;
        for (; next < TIMES && timeOf(next) <= t + h; next++) {
            double weight[7];
            dense((timeOf(next) - t) / h, weight);
            saved[next] = y;
            for (int j = 0; j < 7; j++) add(saved[next], weight[j] * h, step->k[j]);
        }
        if (last) for (; next < TIMES; next++) saved[next] = z;
        step->after = next;
        step[1].k[0] = step->k[6];
        step[1].terms[0] = step->terms[6];
        y = z;
        t = last ? end : t + h;
        h *= std::min(10.0, std::max(0.2, 0.9 * std::pow(error, -0.17) * std::pow(previous, 0.04)));
        previous = std::max(error, 1e-4);
        step++;
        taken++;
    }
}

static float backward() {
    State cotangent[TIMES];
    Singles loss = all(0.0f);
    const float scale = 1.0f / (TIMES * BATCH * 2);
    for (int o = 0; o < TIMES; o++)
        for (int c = 0; c < 2; c++)
            for (int g = 0; g < GROUPS; g++) {
                Singles d = saved[o].c[c][g] - target[o].c[c][g];
                loss += magnitude(d) * present[g];
                cotangent[o].c[c][g] = (d > 0.0f ? all(scale) : d < 0.0f ? all(-scale) : all(0.0f)) * present[g];
            }
    std::memset(&sums, 0, sizeof sums);
    State y = {}, slope = {};
    for (int n = taken - 1; n >= 0; n--) {
        const Step &step = steps[n];
        State k[7] = {}, before = {};
        k[6] = slope;
        for (int o = step.first; o < step.after; o++) {
            double weight[7];
            dense((timeOf(o) - step.t) / step.h, weight);
            add(before, 1, cotangent[o]);
            for (int j = 0; j < 7; j++) add(k[j], weight[j] * step.h, cotangent[o]);
        }
        for (int i = 6; i >= 1; i--) {
            State z = {};
            if (i == 6) z = y;
            pull(step.terms[i], k[i], z);
            add(before, 1, z);
            for (int j = 0; j < i; j++) if (A[i][j] != 0) add(k[j], A[i][j] * step.h, z);
        }
        y = before;
        slope = k[0];
    }
    pull(steps[0].terms[0], slope, y);
    float total = 0;
    for (int lane = 0; lane < LANES; lane++) total += loss[lane];
    return total * scale;
}

static void rmsprop(float *squares) {
    float *w = (float *)&weights;
    const Singles *sum = (const Singles *)&sums;
    for (int i = 0; i < PARAMETERS; i++) {
        float gradient = 0;
        for (int lane = 0; lane < LANES; lane++) gradient += sum[i][lane];
        squares[i] = 0.99f * squares[i] + 0.01f * gradient * gradient;
        w[i] -= 1e-3f * gradient / (std::sqrt(squares[i]) + 1e-8f);
    }
}

// Numbers of a file into the lanes of the batch.
static void read(std::FILE *file, State &state) {
    float numbers[BATCH][2];
    if (std::fread(numbers, sizeof numbers, 1, file) != 1) std::abort();
    for (int i = 0; i < BATCH; i++) for (int c = 0; c < 2; c++) state.c[c][i / LANES][i % LANES] = numbers[i][c];
}

int main(int, char **arguments) {
    static_assert(sizeof(Weights) == PARAMETERS * sizeof(float) && sizeof(Sums) == PARAMETERS * sizeof(Singles));
    std::FILE *file = std::fopen(arguments[1], "rb");
    if (!file || std::fread(&weights, sizeof weights, 1, file) != 1) std::abort();
    read(file, initial);
    for (auto &at : target) read(file, at);
    for (int i = 0; i < BATCH; i++) present[i / LANES][i % LANES] = 1;
    float squares[PARAMETERS] = {}, loss = 0;
    const Weights fresh = weights;
    report("forward", 31, 200, forward);
    report("step", 31, 200, [&] {
        forward();
        loss += backward();
        rmsprop(squares);
        weights = fresh;
    });
    std::printf("steps %d\n", taken);
    std::fprintf(stderr, "%g\n", loss);    // what was computed is used
}
