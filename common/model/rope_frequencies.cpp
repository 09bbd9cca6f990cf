// SPDX-License-Identifier: MIT
#include "common/model/rope_frequencies.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/numerics_f64.h"

namespace adit::model {
namespace {

constexpr double kPi = 3.14159265358979323846;

double llama3(const RopeShape& r, double frequency) {
  const double wavelength = 2 * kPi / frequency;
  if (wavelength < r.original_context / r.high_freq_factor) return frequency;
  if (wavelength > r.original_context / r.low_freq_factor) return frequency / r.factor;
  const double smooth = (r.original_context / wavelength - r.low_freq_factor) /
                        (r.high_freq_factor - r.low_freq_factor);
  return (1 - smooth) * (frequency / r.factor) + smooth * frequency;
}

// The (fractional) index of the dimension that turns `rotations` times over the original context.
double yarn_index(const ModelConfig& config, double rotations) {
  const double turns = config.rope.original_context / (rotations * 2 * kPi);
  return config.rope_dim() * kernels::log_d(turns) / (2 * kernels::log_d(config.rope_theta));
}

double yarn(const ModelConfig& config, int i, double frequency) {
  const RopeShape& r = config.rope;
  const double low = std::max(std::floor(yarn_index(config, r.beta_fast)), 0.0);
  double high = std::min(std::ceil(yarn_index(config, r.beta_slow)), config.rope_dim() - 1.0);
  if (low == high) high += 0.001;
  const double ramp = std::clamp((i - low) / (high - low), 0.0, 1.0);
  return frequency / r.factor * ramp + frequency * (1 - ramp);
}

}  // namespace

std::vector<double> inverse_frequencies(const ModelConfig& config) {
  const int dim = config.rope_dim();
  std::vector<double> out;
  for (int i = 0; i < dim / 2; ++i) {
    const double plain = i == 0 ? 1.0 : kernels::pow_d(config.rope_theta, -2.0 * i / dim);
    switch (config.rope.scaling) {
      case RopeScaling::kNone: out.push_back(plain); break;
      case RopeScaling::kLinear: out.push_back(plain / config.rope.factor); break;
      case RopeScaling::kLlama3: out.push_back(llama3(config.rope, plain)); break;
      case RopeScaling::kYarn: out.push_back(yarn(config, i, plain)); break;
    }
  }
  return out;
}

double yarn_magnitude(double factor, double mscale) {
  return factor <= 1 ? 1.0 : 0.1 * mscale * kernels::log_d(factor) + 1.0;
}

}  // namespace adit::model
