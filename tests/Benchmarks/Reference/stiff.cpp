// Five stiff problems by Radau IIA of order 5 in float64, specialised when it is compiled for the problem's size, right-hand side and Jacobian: what
// a careful person writes by hand. After Hairer and Wanner (1996), Solving Ordinary Differential Equations II, IV.8.
// Prints name-rtol and the least of the processor's seconds, and name-rtol-error and the error at the end, |y - y*| / (|y*| + atol/rtol).
#include "vectors.hpp"
#include "stiff_problems.hpp"

template <class P> struct Radau {
    static constexpr int N = P::N;
    static constexpr double S6 = 2.449489742783178, C0 = (4 - S6) / 10, C1 = (4 + S6) / 10;
    static constexpr double E0 = (-13 - 7 * S6) / 3, E1 = (-13 + 7 * S6) / 3, E2 = -1.0 / 3;
    static constexpr double REAL = 3.637834252744496, ALPHA = 2.681082873627752, BETA = 3.050430199247411;    // of A^-1: REAL, ALPHA +- i BETA
    static constexpr double T[3][3] = {{0.09443876248897524, -0.14125529502095421, 0.03002919410514742},
        {0.25021312296533332, 0.20412935229379994, -0.38294211275726192}, {1, 1, 0}};
    static constexpr double TI[3][3] = {{4.17871859155190428, 0.32768282076106237, 0.52337644549944951},
        {-4.17871859155190428, -0.32768282076106237, 0.47662355450055044}, {0.50287263494578682, -2.57192694985560522, 0.59603920482822492}};
    static constexpr int MOST = 7;

    double jacobian[N * N], re[N * N], cr[N * N], ci[N * N];    // column-major: J, and the factors of both systems
    int realPivots[N], pairPivots[N];

    void takeJacobian(const double *y) { std::memset(jacobian, 0, sizeof jacobian); P::jacobian(y, jacobian); }

    void factorize(double h) {
        const double g = REAL / h, a = ALPHA / h, b = -BETA / h;
        for (int i = 0; i < N * N; ++i) { re[i] = cr[i] = -jacobian[i]; ci[i] = 0; }
        for (int i = 0; i < N; ++i) { re[i * N + i] += g; cr[i * N + i] += a; ci[i * N + i] += b; }
        factorizeReal();
        factorizePair();
    }

    void factorizeReal() {
        for (int k = 0; k < N; ++k) {
            int m = k;
            for (int i = k + 1; i < N; ++i) if (std::fabs(re[k * N + i]) > std::fabs(re[k * N + m])) m = i;
            realPivots[k] = m;
            if (m != k) for (int j = 0; j < N; ++j) std::swap(re[j * N + m], re[j * N + k]);
            const double inverse = re[k * N + k] = 1 / re[k * N + k];
            for (int i = k + 1; i < N; ++i) re[k * N + i] *= inverse;
            for (int j = k + 1; j < N; ++j) {
                const double q = re[j * N + k];
                for (int i = k + 1; i < N; ++i) re[j * N + i] -= q * re[k * N + i];
            }
        }
    }

    double square(int i, int k) const { return cr[k * N + i] * cr[k * N + i] + ci[k * N + i] * ci[k * N + i]; }

    void factorizePair() {
        for (int k = 0; k < N; ++k) {
            int m = k;
            for (int i = k + 1; i < N; ++i) if (square(i, k) > square(m, k)) m = i;
            pairPivots[k] = m;
            if (m != k) for (int j = 0; j < N; ++j) { std::swap(cr[j * N + m], cr[j * N + k]); std::swap(ci[j * N + m], ci[j * N + k]); }
            const double d = 1 / square(k, k), x = cr[k * N + k] * d, y = -ci[k * N + k] * d;
            cr[k * N + k] = x;
            ci[k * N + k] = y;
            for (int i = k + 1; i < N; ++i) {
                const double u = cr[k * N + i], v = ci[k * N + i];
                cr[k * N + i] = u * x - v * y;
                ci[k * N + i] = u * y + v * x;
            }
            for (int j = k + 1; j < N; ++j) {
                const double u = cr[j * N + k], v = ci[j * N + k];
                for (int i = k + 1; i < N; ++i) {
                    cr[j * N + i] -= u * cr[k * N + i] - v * ci[k * N + i];
                    ci[j * N + i] -= u * ci[k * N + i] + v * cr[k * N + i];
                }
            }
        }
    }

    void solveReal(double *b) const {
        for (int k = 0; k < N; ++k) std::swap(b[k], b[realPivots[k]]);
        for (int k = 0; k < N; ++k) for (int i = k + 1; i < N; ++i) b[i] -= re[k * N + i] * b[k];
        for (int k = N - 1; k >= 0; --k) { b[k] *= re[k * N + k]; for (int i = 0; i < k; ++i) b[i] -= re[k * N + i] * b[k]; }
    }

    void solvePair(double *x, double *y) const {
        for (int k = 0; k < N; ++k) { std::swap(x[k], x[pairPivots[k]]); std::swap(y[k], y[pairPivots[k]]); }
        for (int k = 0; k < N; ++k) for (int i = k + 1; i < N; ++i) subtract(x[i], y[i], cr[k * N + i], ci[k * N + i], x[k], y[k]);
        for (int k = N - 1; k >= 0; --k) {
            const double u = cr[k * N + k], v = ci[k * N + k], a = x[k] * u - y[k] * v, b = x[k] * v + y[k] * u;
            x[k] = a;
            y[k] = b;
            for (int i = 0; i < k; ++i) subtract(x[i], y[i], cr[k * N + i], ci[k * N + i], a, b);
        }
    }

    static void subtract(double &x, double &y, double u, double v, double a, double b) { x -= u * a - v * b; y -= u * b + v * a; }

    // The last collocation polynomial (nodes 0, C0, C1, 1), continued.
    static void extrapolate(const double (*last)[N], double ratio, double (*z)[N]) {
        const double places[3] = {1 + C0 * ratio, 1 + C1 * ratio, 1 + ratio};
        for (int s = 0; s < 3; ++s) {
            const double x = places[s], l0 = x * (x - C1) * (x - 1) / (C0 * (C0 - C1) * (C0 - 1)),
                l1 = x * (x - C0) * (x - 1) / (C1 * (C1 - C0) * (C1 - 1)), l2 = x * (x - C0) * (x - C1) / ((1 - C0) * (1 - C1));
            for (int i = 0; i < N; ++i) z[s][i] = l0 * last[0][i] + l1 * last[1][i] + l2 * last[2][i] - last[2][i];
        }
    }

    // Newton's iteration; false where it does not converge.
    bool iterate(const double *y, double h, double rtol, double atol, double (*z)[N], int &iterations, double &rate) {
        const double goal = std::max(10 * 2.2e-16 / rtol, std::min(0.03, std::sqrt(rtol))), g = REAL / h, a = ALPHA / h, b = -BETA / h;
        double w[3][N], scale[N], before = 0;
        rate = 0;
        for (int i = 0; i < N; ++i) scale[i] = 1 / (atol + rtol * std::fabs(y[i]));
        for (int i = 0; i < N; ++i) for (int s = 0; s < 3; ++s) w[s][i] = TI[s][0] * z[0][i] + TI[s][1] * z[1][i] + TI[s][2] * z[2][i];
        for (iterations = 1; iterations <= MOST; ++iterations) {
            double f[3][N], u[N], r[N], p[N], q[N], d = 0;
            for (int s = 0; s < 3; ++s) { for (int i = 0; i < N; ++i) u[i] = y[i] + z[s][i]; P::slope(u, f[s]); }
            for (int i = 0; i < N; ++i) {
                r[i] = TI[0][0] * f[0][i] + TI[0][1] * f[1][i] + TI[0][2] * f[2][i] - g * w[0][i];
                p[i] = TI[1][0] * f[0][i] + TI[1][1] * f[1][i] + TI[1][2] * f[2][i] - (a * w[1][i] - b * w[2][i]);
                q[i] = TI[2][0] * f[0][i] + TI[2][1] * f[1][i] + TI[2][2] * f[2][i] - (a * w[2][i] + b * w[1][i]);
            }
            solveReal(r);
            solvePair(p, q);
            for (int i = 0; i < N; ++i) d += scale[i] * scale[i] * (r[i] * r[i] + p[i] * p[i] + q[i] * q[i]);
            d = std::sqrt(d / (3 * N));
            if (iterations > 1) rate = d / before;
            if (!(d < 1e30) || (iterations > 1 && (rate >= 1 || std::pow(rate, MOST + 1 - iterations) / (1 - rate) * d > goal))) return false;
            for (int i = 0; i < N; ++i) {
                w[0][i] += r[i]; w[1][i] += p[i]; w[2][i] += q[i];
                for (int s = 0; s < 3; ++s) z[s][i] = T[s][0] * w[0][i] + T[s][1] * w[1][i] + T[s][2] * w[2][i];
            }
            if (d == 0 || (iterations > 1 && rate / (1 - rate) * d < goal)) return true;
            before = d;
        }
        return false;
    }

    double error(const double *y, const double *after, const double *f, const double (*z)[N], double h, double rtol, double atol) const {
        double e[N], sum = 0;
        for (int i = 0; i < N; ++i) e[i] = f[i] + (E0 * z[0][i] + E1 * z[1][i] + E2 * z[2][i]) / h;
        solveReal(e);
        for (int i = 0; i < N; ++i) {
            const double m = e[i] / (atol + rtol * std::max(std::fabs(y[i]), std::fabs(after[i])));
            sum += m * m;
        }
        return std::max(1e-10, std::sqrt(sum / N));
    }

    void solve(double *y, double end, double rtol, double atol, double h) {
        double t = 0, z[3][N], last[3][N] = {}, f[N], after[N], lastStep = 0, lastError = 1, rate = 0;
        bool isFresh = true, changes = true, wasRejected = false;
        int iterations = 0;
        P::slope(y, f);
        takeJacobian(y);
        while (t < end) {
            const bool isLast = t + h * 1.0001 >= end;
            if (isLast && h != end - t) { h = end - t; changes = true; }
            if (changes) factorize(h);
            changes = false;
            if (lastStep > 0) extrapolate(last, h / lastStep, z);
            else std::memset(z, 0, sizeof z);
            if (!iterate(y, h, rtol, atol, z, iterations, rate)) {
                if (isFresh) h *= 0.5;
                else takeJacobian(y);
                isFresh = changes = wasRejected = true;
                continue;
            }
            for (int i = 0; i < N; ++i) after[i] = y[i] + z[2][i];
            const double e = error(y, after, f, z, h, rtol, atol), safety = 0.9 * (2 * MOST + 1) / (2 * MOST + iterations);
            double factor = safety * std::pow(e, -0.25);
            if (e >= 1) { h *= lastStep > 0 ? std::max(0.2, factor) : 0.1; changes = wasRejected = true; continue; }
            if (lastStep > 0) factor = std::min(factor, safety * (h / lastStep) * std::pow(lastError / (e * e), 0.25));
            factor = std::min(wasRejected ? 1.0 : 8.0, std::max(0.2, factor));
            t = isLast ? end : t + h;
            lastStep = h;
            lastError = std::max(1e-2, e);
            std::memcpy(last, z, sizeof z);
            std::memcpy(y, after, sizeof after);
            P::slope(y, f);
            wasRejected = false;
            isFresh = iterations > 1 && rate > 1e-3;
            if (isFresh) takeJacobian(y);
            if (isFresh || factor < 1 || factor > 1.2) { h *= factor; changes = true; }
        }
    }
};

template <class P> static void measure() {
    static Radau<P> method;
    double y[P::N];
    for (int digits : {4, 6, 8}) {
        const double rtol = std::pow(10, -digits);
        auto run = [&] { std::memcpy(y, P::START, sizeof y); method.solve(y, P::END, rtol, rtol * P::ATOL, 1e-6); };
        double start = processor();
        run();
        const int calls = std::max(1, (int)(0.01 / (processor() - start)));
        double least = 1e9, worst = 0;
        for (int n = 0; n < 15; ++n) {
            start = processor();
            for (int i = 0; i < calls; ++i) run();
            least = std::min(least, (processor() - start) / calls);
        }
        for (int i = 0; i < P::N; ++i) worst = std::max(worst, std::fabs(y[i] - P::FINAL[i]) / (std::fabs(P::FINAL[i]) + P::ATOL));
        std::printf("%s-1e-%d %.9g\n%s-1e-%d-error %.3g\n", P::NAME, digits, least, P::NAME, digits, worst);
    }
}

int main() { measure<Robertson>(); measure<VanDerPol>(); measure<Oregonator>(); measure<Hires>(); measure<Pollution>(); }
