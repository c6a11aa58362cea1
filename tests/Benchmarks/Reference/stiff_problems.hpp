// The problems of the test set (Mazzia and Magherini 2008; Robertson 1966), as equations written by hand: slope f(y), and the Jacobian, column-major,
// to be added to zeros.
#pragma once
#include <cstring>

struct Robertson {
    static constexpr const char *NAME = "Robertson";
    static constexpr int N = 3;
    static constexpr double END = 1e11, ATOL = 1e-6, START[] = {1, 0, 0}, FINAL[] = {0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050};
    static void slope(const double *y, double *d) {
        const double a = 0.04 * y[0], b = 1e4 * y[1] * y[2], c = 3e7 * y[1] * y[1];
        d[0] = b - a;
        d[2] = c;
        d[1] = -d[0] - d[2];
    }
    static void jacobian(const double *y, double *J) {
        J[0] = -0.04; J[1] = 0.04;
        J[3] = 1e4 * y[2]; J[5] = 6e7 * y[1]; J[4] = -J[3] - J[5];
        J[6] = 1e4 * y[1]; J[7] = -J[6];
    }
};

struct VanDerPol {
    static constexpr const char *NAME = "Van-der-Pol";
    static constexpr int N = 2;
    static constexpr double END = 2000, ATOL = 1e-4, START[] = {2, 0}, FINAL[] = {1.706167732170483, -0.8928097010247975e-3};
    static void slope(const double *y, double *d) { d[0] = y[1]; d[1] = 1000 * (1 - y[0] * y[0]) * y[1] - y[0]; }
    static void jacobian(const double *y, double *J) { J[1] = -2000 * y[0] * y[1] - 1; J[2] = 1; J[3] = 1000 * (1 - y[0] * y[0]); }
};

struct Oregonator {
    static constexpr const char *NAME = "Oregonator";
    static constexpr int N = 3;
    static constexpr double END = 360, ATOL = 1e-4, START[] = {1, 2, 3}, FINAL[] = {1.000814870318523, 1228.178521549917, 132.0554942846706};
    static constexpr double S = 77.27, Q = 8.375e-6, W = 0.161;
    static void slope(const double *y, double *d) {
        d[0] = S * (y[1] + y[0] * (1 - Q * y[0] - y[1]));
        d[1] = (y[2] - (1 + y[0]) * y[1]) / S;
        d[2] = W * (y[0] - y[2]);
    }
    static void jacobian(const double *y, double *J) {
        J[0] = S * (1 - 2 * Q * y[0] - y[1]); J[1] = -y[1] / S; J[2] = W;
        J[3] = S * (1 - y[0]); J[4] = -(1 + y[0]) / S;
        J[7] = 1 / S; J[8] = -W;
    }
};

struct Hires {
    static constexpr const char *NAME = "HIRES";
    static constexpr int N = 8;
    static constexpr double END = 321.8122, ATOL = 1e-4, START[] = {1, 0, 0, 0, 0, 0, 0, 0.0057};
    static constexpr double FINAL[] = {0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2,
        0.2386356198831331e-2, 0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2};
    static void slope(const double *y, double *d) {
        const double r = 280 * y[5] * y[7];
        d[0] = -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007;
        d[1] = 1.71 * y[0] - 8.75 * y[1];
        d[2] = -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4];
        d[3] = 8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3];
        d[4] = -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6];
        d[5] = -r + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6];
        d[6] = r - 1.81 * y[6];
        d[7] = -d[6];
    }
    static void jacobian(const double *y, double *J) {
        const double u = 280 * y[7], v = 280 * y[5];
        auto at = [&](int i, int j) -> double & { return J[j * N + i]; };
        at(0, 0) = -1.71; at(0, 1) = 0.43; at(0, 2) = 8.32;
        at(1, 0) = 1.71; at(1, 1) = -8.75;
        at(2, 2) = -10.03; at(2, 3) = 0.43; at(2, 4) = 0.035;
        at(3, 1) = 8.32; at(3, 2) = 1.71; at(3, 3) = -1.12;
        at(4, 4) = -1.745; at(4, 5) = 0.43; at(4, 6) = 0.43;
        at(5, 3) = 0.69; at(5, 4) = 1.71; at(5, 5) = -u - 0.43; at(5, 6) = 0.69; at(5, 7) = -v;
        at(6, 5) = u; at(6, 6) = -1.81; at(6, 7) = v;
        at(7, 5) = -u; at(7, 6) = 1.81; at(7, 7) = -v;
    }
};

struct Pollution {
    static constexpr const char *NAME = "Pollution";
    static constexpr int N = 20;
    static constexpr double END = 60, ATOL = 1e-4, START[] = {0, 0.2, 0, 0.04, 0, 0, 0.1, 0.3, 0.01, 0, 0, 0, 0, 0, 0, 0, 0.007, 0, 0, 0};
    static constexpr double FINAL[] = {0.5646255480022769e-1, 0.1342484130422339, 0.4139734331099427e-8, 0.5523140207484359e-2, 0.2018977262302196e-6,
        0.1464541863493966e-6, 0.7784249118997964e-1, 0.3245075353396018, 0.7494013383880406e-2, 0.1622293157301561e-7,
        0.1135863833257075e-7, 0.2230505975721359e-2, 0.2087162882798630e-3, 0.1396921016840158e-4, 0.8964884856898295e-2,
        0.4352846369330103e-17, 0.6899219696263405e-2, 0.1007803037365946e-3, 0.1772146513969984e-5, 0.5682943292316392e-4};
    struct Reaction { double rate; int a, b; };              // rate y[a] y[b], or rate y[a] where b is -1
    struct Change { int species, reaction, factor; };
    static constexpr Reaction REACTIONS[] = {
        {.35e0, 0, -1}, {.266e2, 1, 3}, {.123e5, 4, 1}, {.86e-3, 6, -1}, {.82e-3, 6, -1}, {.15e5, 6, 5}, {.13e-3, 8, -1}, {.24e5, 8, 5},
        {.165e5, 10, 1}, {.9e4, 10, 0}, {.22e-1, 12, -1}, {.12e5, 9, 1}, {.188e1, 13, -1}, {.163e5, 0, 5}, {.48e7, 2, -1}, {.35e-3, 3, -1},
        {.175e-1, 3, -1}, {.1e9, 15, -1}, {.444e12, 15, -1}, {.124e4, 16, 5}, {.21e1, 18, -1}, {.578e1, 18, -1}, {.474e-1, 0, 3},
        {.178e4, 18, 0}, {.312e1, 19, -1}};
    static constexpr Change CHANGES[] = {
        {0, 0, -1}, {0, 9, -1}, {0, 13, -1}, {0, 22, -1}, {0, 23, -1}, {0, 1, 1}, {0, 2, 1}, {0, 8, 1}, {0, 10, 1}, {0, 11, 1}, {0, 21, 1},
        {0, 24, 1}, {1, 1, -1}, {1, 2, -1}, {1, 8, -1}, {1, 11, -1}, {1, 0, 1}, {1, 20, 1}, {2, 14, -1}, {2, 0, 1}, {2, 16, 1}, {2, 18, 1},
        {2, 21, 1}, {3, 1, -1}, {3, 15, -1}, {3, 16, -1}, {3, 22, -1}, {3, 14, 1}, {4, 2, -1}, {4, 3, 2}, {4, 5, 1}, {4, 6, 1}, {4, 12, 1},
        {4, 19, 1}, {5, 5, -1}, {5, 7, -1}, {5, 13, -1}, {5, 19, -1}, {5, 2, 1}, {5, 17, 2}, {6, 3, -1}, {6, 4, -1}, {6, 5, -1}, {6, 12, 1},
        {7, 3, 1}, {7, 4, 1}, {7, 5, 1}, {7, 6, 1}, {8, 6, -1}, {8, 7, -1}, {9, 11, -1}, {9, 6, 1}, {9, 8, 1}, {10, 8, -1}, {10, 9, -1},
        {10, 7, 1}, {10, 10, 1}, {11, 8, 1}, {12, 10, -1}, {12, 9, 1}, {13, 12, -1}, {13, 11, 1}, {14, 13, 1}, {15, 17, -1}, {15, 18, -1},
        {15, 15, 1}, {16, 19, -1}, {17, 19, 1}, {18, 20, -1}, {18, 21, -1}, {18, 23, -1}, {18, 22, 1}, {18, 24, 1}, {19, 24, -1},
        {19, 23, 1}};
    static void slope(const double *y, double *d) {
        double r[25];
        for (int i = 0; i < 25; ++i) r[i] = REACTIONS[i].rate * y[REACTIONS[i].a] * (REACTIONS[i].b >= 0 ? y[REACTIONS[i].b] : 1);
        addChanges(r, d);
    }
    static void jacobian(const double *y, double *J) {
        for (const Change &c : CHANGES) {
            const Reaction &r = REACTIONS[c.reaction];
            J[r.a * N + c.species] += c.factor * r.rate * (r.b >= 0 ? y[r.b] : 1);
            if (r.b >= 0) J[r.b * N + c.species] += c.factor * r.rate * y[r.a];
        }
    }
    static void addChanges(const double *r, double *d) {
        d[0] = -r[0] - r[9] - r[13] - r[22] - r[23] + r[1] + r[2] + r[8] + r[10] + r[11] + r[21] + r[24];
        d[1] = -r[1] - r[2] - r[8] - r[11] + r[0] + r[20];
        d[2] = -r[14] + r[0] + r[16] + r[18] + r[21];
        d[3] = -r[1] - r[15] - r[16] - r[22] + r[14];
        d[4] = -r[2] + 2 * r[3] + r[5] + r[6] + r[12] + r[19];
        d[5] = -r[5] - r[7] - r[13] - r[19] + r[2] + 2 * r[17];
        d[6] = -r[3] - r[4] - r[5] + r[12];
        d[7] = r[3] + r[4] + r[5] + r[6];
        d[8] = -r[6] - r[7];
        d[9] = -r[11] + r[6] + r[8];
        d[10] = -r[8] - r[9] + r[7] + r[10];
        d[11] = r[8];
        d[12] = -r[10] + r[9];
        d[13] = -r[12] + r[11];
        d[14] = r[13];
        d[15] = -r[17] - r[18] + r[15];
        d[16] = -r[19];
        d[17] = r[19];
        d[18] = -r[20] - r[21] - r[23] + r[22] + r[24];
        d[19] = -r[24] + r[23];
    }
};
