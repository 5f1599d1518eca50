// The attention flow and the layered model on a CPU in double precision, one instance at a time.
//
// A state is kept as d rows of n numbers: neighbouring tokens lie in the lanes of a vector, so that every loop below
// runs over vectors and no sum goes across lanes. The result of an instance therefore depends neither on the others,
// nor on the number of threads. Lanes beyond n repeat token 0: they need no mask and change no maximum.
//
// What is computed is that of numerics/field.py, dop853.py, integrator.py and layered.py, which have the formulas and
// their sources; here they are only put in another order.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif
typedef double Vec __attribute__((vector_size(8 * LANES)));
typedef int64_t Ints __attribute__((vector_size(8 * LANES)));
constexpr int TILE = 32 / LANES;  // queries worked on at once, in vectors: their logits stay in the cache

int vectors(int n) { return (n + LANES - 1) / LANES; }
Vec same(double x) { return Vec{} + x; }
Vec larger(Vec a, Vec b) { return a > b ? a : b; }
Vec root(Vec x) {
  for (int l = 0; l < LANES; ++l) x[l] = std::sqrt(x[l]);
  return x;
}
double highest(Vec x) {
  double best = x[0];
  for (int l = 1; l < LANES; ++l) best = std::max(best, x[l]);
  return best;
}
double total(Vec x) {
  double sum = x[0];
  for (int l = 1; l < LANES; ++l) sum += x[l];
  return sum;
}

// e^x with an error below 2 ulp on [-708, 709]: x = k log 2 + r, the Taylor polynomial of degree 13 of e^r, times 2^k.
// Smaller arguments count as -708, larger ones give infinity, NaN stays NaN.
Vec exponential(Vec x) {
  const Vec shift = same(6755399441055744.0);  // 1.5 * 2^52: adding it rounds to an integer, in the low bits
  const Vec clamped = x < -708.0 ? same(-708.0) : x;
  const Vec moved = clamped * 1.4426950408889634 + shift;
  const Vec k = moved - shift;
  // Two parts of log 2; the first has so few bits that its product with k is exact.
  const Vec r = (clamped - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
  Vec p = same(1.0 / 6227020800.0);
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const Ints power = ((Ints)moved + 1023) << 52;
  const Vec result = p * (Vec)power;
  return x > 709.4 ? same(std::numeric_limits<double>::infinity()) : result;
}

// C[r][c] = sum_k M[r][k] B[k][c] for ROWS rows and COLS vectors; M is read with the strides rs and cs.
template <int ROWS, int COLS>
void block(int inner, const double* m, int rs, int cs, const Vec* b, int ldb, Vec* c, int ldc) {
  Vec sum[ROWS][COLS] = {};
  for (int k = 0; k < inner; ++k)
    for (int r = 0; r < ROWS; ++r)
      for (int j = 0; j < COLS; ++j) sum[r][j] += m[r * rs + k * cs] * b[k * ldb + j];
  for (int r = 0; r < ROWS; ++r)
    for (int j = 0; j < COLS; ++j) c[r * ldc + j] = sum[r][j];
}

template <int COLS>
void column(int rows, int inner, const double* m, int rs, int cs, const Vec* b, int ldb, Vec* c, int ldc) {
  int r = 0;
  for (; r + 4 <= rows; r += 4) block<4, COLS>(inner, m + r * rs, rs, cs, b, ldb, c + r * ldc, ldc);
  const double* rest = m + r * rs;
  if (rows - r == 3) block<3, COLS>(inner, rest, rs, cs, b, ldb, c + r * ldc, ldc);
  if (rows - r == 2) block<2, COLS>(inner, rest, rs, cs, b, ldb, c + r * ldc, ldc);
  if (rows - r == 1) block<1, COLS>(inner, rest, rs, cs, b, ldb, c + r * ldc, ldc);
}

// C = M B: M has `rows` times `inner` numbers, B `inner` rows of `width` vectors.
void product(int rows, int inner, const double* m, int rs, int cs, const Vec* b, int ldb, int width, Vec* c, int ldc) {
  int j = 0;
  for (; j + 2 <= width; j += 2) column<2>(rows, inner, m, rs, cs, b + j, ldb, c + j, ldc);
  if (j < width) column<1>(rows, inner, m, rs, cs, b + j, ldb, c + j, ldc);
}

void load(int n, int d, const double* rows, Vec* x) {  // (n, d) -> d rows of vectors
  const int nv = vectors(n), padded = nv * LANES;
  double* flat = (double*)x;
  for (int k = 0; k < d; ++k)
    for (int i = 0; i < padded; ++i) flat[k * padded + i] = rows[(i < n ? i : 0) * d + k];
}

void store(int n, int d, const Vec* x, double* rows) {
  const int padded = vectors(n) * LANES;
  const double* flat = (const double*)x;
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < d; ++k) rows[i * d + k] = flat[k * padded + i];
}

Vec square_sum(int d, const Vec* x, int stride) {
  Vec sum = {};
  for (int k = 0; k < d; ++k) sum += x[k * stride] * x[k * stride];
  return sum;
}

struct Scratch {  // of one thread, for one tile of queries
  std::vector<Vec> queries, logits, means, image, part;
  Scratch(int n, int d) : queries(d * TILE), logits(n * TILE), means(d * TILE), image(d * TILE), part(d * TILE) {}
};

// s.means = sum_j softmax_j(<A x_i, x_j>) x_j for the queries from vector `at` on.
void attention_means(int n, int d, bool shift, bool causal, const double* A, const Vec* x, int at, int width,
                     Scratch& s) {
  const int nv = vectors(n), padded = nv * LANES;
  const double* flat = (const double*)x;
  Vec* logits = s.logits.data();
  product(d, d, A, d, 1, x + at, nv, width, s.queries.data(), width);
  product(n, d, flat, 1, padded, s.queries.data(), width, width, logits, width);
  Vec sums[TILE];
  for (int c = 0; c < width; ++c) {
    Ints token;
    for (int l = 0; l < LANES; ++l) token[l] = (at + c) * LANES + l < n ? (at + c) * LANES + l : 0;
    Vec top = {};
    if (shift) {
      top = logits[c];  // a causal query sees token 0 at least
      for (int j = 1; j < n; ++j) {
        const Vec either = larger(logits[j * width + c], top);
        top = causal ? (token < (Ints{} + j) ? top : either) : either;
      }
    }
    Vec sum = {};
    for (int j = 0; j < n; ++j) {
      Vec weight = exponential(logits[j * width + c] - top);
      if (causal) weight = token < (Ints{} + j) ? Vec{} : weight;
      logits[j * width + c] = weight;
      sum += weight;
    }
    sums[c] = 1.0 / sum;
  }
  product(d, n, flat, padded, 1, logits, width, width, s.means.data(), width);
  for (int k = 0; k < d; ++k)
    for (int c = 0; c < width; ++c) s.means[k * width + c] *= sums[c];
}

// --- the flow: DOP853 with a step length of its own for each instance -----------------------------------------------

constexpr int STAGES = 16, NEW = 12;

}  // namespace

extern "C" {

struct Table {  // of DOP853, from dop853.py
  double stages[STAGES][STAGES];
  double error_5[STAGES], error_3[STAGES];
  double interpolant[4][STAGES];
};

struct Flow {
  int64_t batch, n, d, heads, outputs;
  int64_t attention_head, attention_instance, value_head, value_instance;  // strides, in numbers
  int64_t shift, causal, sphere, project, dense, max_steps, threads;
  double rtol, atol;
  const double *tokens, *attention, *value, *times;
  double *states, *error;
  int64_t *status, *steps, *rejected;
  double** records;  // with `dense`: for each instance its steps, to be taken by `take_records`
};
}

namespace {

constexpr double SAFETY = 0.9, SHRINK = 1.0 / 3.0, GROW = 6.0, ROUNDING = 4.0;
constexpr double EPS = std::numeric_limits<double>::epsilon();
enum Status { CONVERGED, STEP_TOO_SMALL, MAX_STEPS, NOT_FINITE };

struct Sum {  // a row of the table without its zeros
  double weight[STAGES];
  int stage[STAGES], count = 0;
  explicit Sum(const double* row) {
    for (int s = 0; s < STAGES; ++s)
      if (row[s] != 0.0) weight[count] = row[s], stage[count++] = s;
  }
  // out = base + scale * sum_s weight_s stages[s], over `size` vectors; without base where it is null
  void into(const Vec* stages, int64_t size, double scale, const Vec* base, Vec* out) const {
    int64_t i = 0;
    for (; i + 4 <= size; i += 4) chunk<4>(stages, size, i, scale, base, out);
    for (; i < size; ++i) chunk<1>(stages, size, i, scale, base, out);
  }
  template <int W>
  void chunk(const Vec* stages, int64_t size, int64_t i, double scale, const Vec* base, Vec* out) const {
    Vec sum[W] = {};
    for (int m = 0; m < count; ++m) {
      const Vec* from = stages + stage[m] * size + i;
      for (int w = 0; w < W; ++w) sum[w] += weight[m] * from[w];
    }
    for (int w = 0; w < W; ++w) out[i + w] = base ? base[i + w] + scale * sum[w] : scale * sum[w];
  }
};

struct Sums {
  std::vector<Sum> stages, interpolant;
  Sum error_5, error_3;
  explicit Sums(const Table& t) : error_5(t.error_5), error_3(t.error_3) {
    for (int s = 0; s < STAGES; ++s) stages.emplace_back(t.stages[s]);
    for (int k = 0; k < 4; ++k) interpolant.emplace_back(t.interpolant[k]);
  }
};

double combined(double norm_5, double norm_3) {
  const double denominator = std::hypot(norm_5, 0.1 * norm_3);
  return norm_5 * (denominator > 0 ? norm_5 / denominator : norm_5);
}

class Integration {  // of one instance after another, in one thread
 public:
  Integration(const Flow& f, const Sums& s)
      : f(f), sums(s), n(f.n), d(f.d), nv(vectors(f.n)), size((int64_t)d * nv), scratch(n, d), stages(STAGES * size),
        y(size), y_new(size), argument(size), slope_new(size), low(size), high(size), plain(n * d) {}

  void run(int64_t instance);

 private:
  void velocity(const Vec* x, Vec* out);
  double starting_step();
  void error_norm(double h, double& scaled, double& absolute);
  double largest_row(const Vec* x);
  void output(int64_t k, double error);
  void record(double t, double t_new, double h);
  void keep(const Vec* x) {
    store(n, d, x, plain.data());
    records.insert(records.end(), plain.begin(), plain.end());
  }

  const Flow& f;
  const Sums& sums;
  const int n, d, nv;
  const int64_t size;
  Scratch scratch;
  std::vector<Vec> stages, y, y_new, argument, slope_new, low, high;
  std::vector<double> plain, records;
  int64_t b = 0;
};

void Integration::velocity(const Vec* x, Vec* out) {
  for (int at = 0; at < nv; at += TILE) {
    const int width = std::min(TILE, nv - at);
    Vec* image = scratch.image.data();
    for (int h = 0; h < f.heads; ++h) {
      const double* A = f.attention + h * f.attention_head + b * f.attention_instance;
      const double* V = f.value + h * f.value_head + b * f.value_instance;
      attention_means(n, d, f.shift, f.causal, A, x, at, width, scratch);
      Vec* part = h ? scratch.part.data() : image;
      product(d, d, V, d, 1, scratch.means.data(), width, width, part, width);
      if (h)
        for (int i = 0; i < d * width; ++i) image[i] += part[i];
    }
    for (int c = 0; c < width; ++c) {
      Vec radial = {};
      if (f.sphere) {
        for (int k = 0; k < d; ++k) radial += image[k * width + c] * x[k * nv + at + c];
        radial /= square_sum(d, x + at + c, nv);
      }
      for (int k = 0; k < d; ++k) out[k * nv + at + c] = image[k * width + c] - x[k * nv + at + c] * radial;
    }
  }
}

double Integration::largest_row(const Vec* x) {
  Vec top = {};
  for (int c = 0; c < nv; ++c) {
    const Vec length = square_sum(d, x + c, nv);
    top = top > length || length != length ? (length != length ? length : top) : length;
  }
  const double sum = total(top);
  return std::isnan(sum) ? sum : std::sqrt(highest(top));
}

double Integration::starting_step() {
  const Vec* slope = stages.data();
  double sized = 0, speed = 0, bend = 0;
  const auto over = [&](const Vec* x, const Vec* minus) {
    double top = 0;
    for (int c = 0; c < nv; ++c) {
      const Vec scale = root(square_sum(d, y.data() + c, nv)) * f.rtol + f.atol;
      Vec sum = {};
      for (int k = 0; k < d; ++k) {
        const Vec entry = (minus ? x[k * nv + c] - minus[k * nv + c] : x[k * nv + c]) / scale;
        sum += entry * entry;
      }
      top = std::max(top, highest(root(sum)));
    }
    return top;
  };
  sized = over(y.data(), nullptr), speed = over(slope, nullptr);
  const double euler = sized < 1e-5 || speed < 1e-5 ? 1e-6 : 0.01 * sized / speed;
  for (int64_t i = 0; i < size; ++i) argument[i] = y[i] + euler * slope[i];
  velocity(argument.data(), slope_new.data());
  bend = over(slope_new.data(), slope) / euler;
  const double steepest = std::max(speed, bend);
  const double length = steepest <= 1e-15 ? std::max(1e-3 * euler, 1e-6) : std::pow(0.01 / steepest, 1.0 / 8);
  return std::min(100 * euler, length);
}

// The local error of a step to y_new, in units of the tolerance (NaN where the step is not finite) and absolute.
void Integration::error_norm(double h, double& scaled, double& absolute) {
  sums.error_5.into(stages.data(), size, h, nullptr, low.data());
  sums.error_3.into(stages.data(), size, h, nullptr, high.data());
  Vec scaled_5 = {}, scaled_3 = {}, top_5 = {}, top_3 = {}, all = {};
  for (int c = 0; c < nv; ++c) {
    const Vec length = larger(square_sum(d, y.data() + c, nv), square_sum(d, y_new.data() + c, nv));
    const Vec scale = root(length) * f.rtol + f.atol;
    const Vec five = root(square_sum(d, low.data() + c, nv)), three = root(square_sum(d, high.data() + c, nv));
    scaled_5 = larger(five / scale, scaled_5), scaled_3 = larger(three / scale, scaled_3);
    top_5 = larger(five, top_5), top_3 = larger(three, top_3);
    all += (five + three) + square_sum(d, y_new.data() + c, nv);
  }
  scaled = combined(highest(scaled_5), highest(scaled_3)) + total(all) * 0.0;
  absolute = combined(highest(top_5), highest(top_3));
}

void Integration::output(int64_t k, double error) {
  store(n, d, y.data(), f.states + (b * f.outputs + k) * n * d);
  f.error[b * f.outputs + k] = error;
}

// t, t_new, the state, and the seven coefficients of the interpolant, from y to y_new with slope_new there.
void Integration::record(double t, double t_new, double h) {
  std::copy(slope_new.begin(), slope_new.end(), stages.begin() + NEW * size);
  for (int s = NEW + 1; s < STAGES; ++s) {
    sums.stages[s].into(stages.data(), size, h, y.data(), argument.data());
    velocity(argument.data(), stages.data() + s * size);
  }
  records.push_back(t), records.push_back(t_new);
  keep(y.data());
  for (int64_t i = 0; i < size; ++i) argument[i] = y_new[i] - y[i];
  keep(argument.data());
  for (int64_t i = 0; i < size; ++i) low[i] = h * stages[i] - argument[i];
  keep(low.data());
  for (int64_t i = 0; i < size; ++i) high[i] = argument[i] - h * slope_new[i] - low[i];
  keep(high.data());
  for (const Sum& sum : sums.interpolant) {
    sum.into(stages.data(), size, h, nullptr, argument.data());
    keep(argument.data());
  }
}

void Integration::run(int64_t instance) {
  b = instance;
  load(n, d, f.tokens + b * n * d, y.data());
  const double* times = f.times + b * f.outputs;
  const double end = times[f.outputs - 1];
  int64_t next = 0, steps = 0, rejected = 0, status = CONVERGED;
  double t = 0, error = 0;
  records.clear();
  if (times[0] == 0) output(next++, 0.0);
  velocity(y.data(), stages.data());
  double h = starting_step();
  bool retry = false;
  while (next < f.outputs) {
    // One per cent longer rather than a last step of next to nothing.
    const double target = times[next];
    const bool lands = t + 1.01 * h >= target;
    const double step = lands ? target - t : h;
    for (int s = 1; s < NEW; ++s) {
      sums.stages[s].into(stages.data(), size, step, y.data(), argument.data());
      velocity(argument.data(), stages.data() + s * size);
    }
    sums.stages[NEW].into(stages.data(), size, step, y.data(), y_new.data());
    double scaled, absolute;
    error_norm(step, scaled, absolute);
    const bool accepted = scaled <= 1.0;  // false for NaN
    if (accepted) {
      const double t_new = lands ? target : t + step;
      if (f.project)
        for (int c = 0; c < nv; ++c) {
          const Vec length = root(square_sum(d, y_new.data() + c, nv));
          for (int k = 0; k < d; ++k) y_new[k * nv + c] /= length;
        }
      velocity(y_new.data(), slope_new.data());
      if (f.dense) record(t, t_new, step);
      error += absolute + ROUNDING * EPS * (largest_row(y_new.data()) + step * largest_row(slope_new.data()));
      t = t_new, std::swap(y, y_new);
      std::copy(slope_new.begin(), slope_new.end(), stages.begin());
      ++steps;
    } else {
      ++rejected;
    }
    double factor = std::isfinite(scaled) ? std::min(std::max(SAFETY * std::pow(scaled, -1.0 / 8), SHRINK), GROW) : SHRINK;
    if (retry || !accepted) factor = std::min(factor, 1.0);
    // A step cut short to land on an output says nothing against the length planned before.
    h = accepted && lands && factor >= 1.0 ? std::max(step * factor, h) : step * factor;
    retry = !accepted;
    if (accepted && lands) output(next++, error);
    if (next == f.outputs) break;
    if (!accepted && !(h > 10 * EPS * std::max(t, EPS * end))) {
      status = std::isfinite(scaled) ? STEP_TOO_SMALL : NOT_FINITE;
      break;
    }
    if (steps + rejected >= f.max_steps) {
      status = MAX_STEPS;
      break;
    }
  }
  f.status[b] = status, f.steps[b] = steps, f.rejected[b] = rejected;
  if (f.dense && steps) {
    f.records[b] = new double[records.size()];
    std::copy(records.begin(), records.end(), f.records[b]);
  }
}

// Calls run(b) for all b, `grain` of them at a time, with a worker of its own for each thread; false where there is no
// memory for it.
template <class Make>
bool for_each(int64_t batch, int64_t grain, int64_t threads, const Make& make) {
  std::atomic<int64_t> next{0};
  std::atomic<bool> enough{true};
  const auto loop = [&] {
    try {
      auto worker = make();
      for (int64_t b; (b = next.fetch_add(grain)) < batch;)
        for (int64_t own = b; own < std::min(b + grain, batch); ++own) worker.run(own);
    } catch (const std::bad_alloc&) {
      enough = false;
    }
  };
  std::vector<std::thread> others;
  try {
    for (int64_t k = 1; k < std::min(threads, (batch + grain - 1) / grain); ++k) others.emplace_back(loop);
  } catch (const std::system_error&) {  // no more threads to be had: those that there are do the work
  }
  loop();
  for (std::thread& t : others) t.join();
  return enough;
}

}  // namespace

// --- one layer ------------------------------------------------------------------------------------------------------

extern "C" {

struct Layer {  // x -> N(x + V m + f_i (L R m + M m)); the step h is part of V and f
  int64_t batch, n, d, rank, group, shift, causal, attends, threads;
  int64_t attention_instance, value_instance, dense_instance;  // strides of A, V and M
  int64_t factor_instance, factor_token;                       // strides of f; an adapter serves `group` instances
  const double *tokens, *attention, *value, *left, *right, *dense, *factors;
  double* out;
};
}

namespace {

class Layering {
 public:
  explicit Layering(const Layer& l)
      : l(l), n(l.n), d(l.d), nv(vectors(l.n)), scratch(n, d), x(d * nv), thin(std::max<int64_t>(l.rank, 1) * TILE) {}

  void run(int64_t b) {
    load(n, d, l.tokens + b * n * d, x.data());
    const int64_t own = b / l.group;
    const double* factor = l.factors + (b % l.group) * l.factor_instance;
    for (int at = 0; at < nv; at += TILE) {
      const int width = std::min(TILE, nv - at), rank = l.rank;
      attention_means(n, d, l.shift, l.causal, l.attention + b * l.attention_instance, x.data(), at, width, scratch);
      const Vec* means = scratch.means.data();
      Vec *image = scratch.image.data(), *part = scratch.part.data();
      product(d, d, l.value + b * l.value_instance, d, 1, means, width, width, image, width);
      if (rank) {
        product(rank, d, l.right + own * rank * d, d, 1, means, width, width, thin.data(), width);
        product(d, rank, l.left + own * d * rank, rank, 1, thin.data(), width, width, part, width);
        add(image, part, factor, at, width);
      }
      if (l.dense) {
        product(d, d, l.dense + own * l.dense_instance, d, 1, means, width, width, part, width);
        add(image, part, factor, at, width);
      }
      for (int c = 0; c < width; ++c) {
        Vec sum = {};
        for (int k = 0; k < d; ++k) {
          image[k * width + c] += x[k * nv + at + c];
          sum += image[k * width + c] * image[k * width + c];
        }
        const Vec length = root(sum);
        for (int k = 0; k < d; ++k) image[k * width + c] /= length;
      }
      const double* flat = (const double*)image;
      double* rows = l.out + (b * n + at * LANES) * d;
      const int tokens = std::min(width * LANES, n - at * LANES);
      for (int i = 0; i < tokens; ++i)
        for (int k = 0; k < d; ++k) rows[i * d + k] = flat[k * width * LANES + i];
    }
  }

 private:
  void add(Vec* image, const Vec* part, const double* factor, int at, int width) {
    for (int c = 0; c < width; ++c) {
      Vec f;
      for (int lane = 0; lane < LANES; ++lane) {
        const int i = (at + c) * LANES + lane;
        f[lane] = factor[(i < n ? i : 0) * l.factor_token];
      }
      for (int k = 0; k < d; ++k) image[k * width + c] += f * part[k * width + c];
    }
  }

  const Layer& l;
  const int n, d, nv;
  Scratch scratch;
  std::vector<Vec> x, thin;
};

// A layer without attention, every token its own mean: here neighbouring instances lie in the lanes.
class Collapsed {
 public:
  explicit Collapsed(const Layer& l) : l(l), d(l.d), x(d), image(d) {}

  void run(int64_t block) {
    for (int lane = 0; lane < LANES; ++lane) {
      const int64_t b = std::min(block * LANES + lane, l.batch - 1);
      tokens[lane] = b * l.n * d, value[lane] = b * l.value_instance, thin[lane] = b / l.group * l.rank * d;
      dense[lane] = b / l.group * l.dense_instance, factor[lane] = b % l.group * l.factor_instance;
    }
    for (int i = 0; i < l.n; ++i) {
      for (int k = 0; k < d; ++k) x[k] = gather(l.tokens + i * d + k, tokens);
      const Vec f = gather(l.factors + i * l.factor_token, factor);
      for (int k = 0; k < d; ++k) image[k] = x[k] + times_x(l.value + k * d, value, !l.value_instance);
      for (int r = 0; r < l.rank; ++r) {
        const Vec along = f * times_x(l.right + r * d, thin, false);
        for (int k = 0; k < d; ++k) image[k] += gather(l.left + k * l.rank + r, thin) * along;
      }
      if (l.dense)
        for (int k = 0; k < d; ++k) image[k] += f * times_x(l.dense + k * d, dense, !l.dense_instance);
      const Vec length = root(square_sum(d, image.data(), 1));
      for (int k = 0; k < d; ++k) {
        const Vec entry = image[k] / length;
        for (int lane = 0; lane < LANES; ++lane) l.out[tokens[lane] + i * d + k] = entry[lane];
      }
    }
  }

 private:
  static Vec gather(const double* from, const int64_t* at) {
    Vec v;
    for (int lane = 0; lane < LANES; ++lane) v[lane] = from[at[lane]];
    return v;
  }
  Vec times_x(const double* row, const int64_t* at, bool shared) const {
    Vec sum = {};
    if (shared)
      for (int k = 0; k < d; ++k) sum += row[k] * x[k];
    else
      for (int k = 0; k < d; ++k) sum += gather(row + k, at) * x[k];
    return sum;
  }

  const Layer& l;
  const int d;
  std::vector<Vec> x, image;
  int64_t tokens[LANES], value[LANES], thin[LANES], dense[LANES], factor[LANES];
};

}  // namespace

extern "C" {

// 0, or 1 where there is not enough memory. Sizes and pointers are the caller's to check.
int loraproofs_flow(const Flow* flow, const Table* table) {
  const Sums sums(*table);
  return for_each(flow->batch, 1, flow->threads, [&] { return Integration(*flow, sums); }) ? 0 : 1;
}

// Copies the records of the steps, instance by instance, and frees them: (N,), (N,), (N, size), (N, 7, size).
void loraproofs_take_records(int64_t batch, int64_t size, const int64_t* steps, double** records, double* t,
                             double* t_new, double* state, double* coefficients) {
  for (int64_t b = 0; b < batch; ++b) {
    const double* from = records[b];
    for (int64_t s = 0; from && s < steps[b]; ++s) {
      if (t) {
        *t++ = from[0], *t_new++ = from[1];
        state = std::copy_n(from + 2, size, state);
        coefficients = std::copy_n(from + 2 + size, 7 * size, coefficients);
      }
      from += 2 + 8 * size;
    }
    delete[] records[b];
    records[b] = nullptr;
  }
}

int loraproofs_layer(const Layer* layer) {
  const Layer& l = *layer;
  const bool done = l.attends ? for_each(l.batch, 16, l.threads, [&] { return Layering(l); })
                              : for_each((l.batch + LANES - 1) / LANES, 256, l.threads, [&] { return Collapsed(l); });
  return done ? 0 : 1;
}

void loraproofs_exponential(int64_t count, const double* x, double* out) {
  for (int64_t i = 0; i < count; i += LANES) {
    const int part = (int)std::min<int64_t>(LANES, count - i);
    Vec v = {};
    std::memcpy(&v, x + i, part * sizeof(double));
    v = exponential(v);
    std::memcpy(out + i, &v, part * sizeof(double));
  }
}
}
