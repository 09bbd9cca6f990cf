// SPDX-License-Identifier: MIT
#include "common/model/forward.hpp"

#include "common/model/forward_pass.hpp"

namespace adit::model {

Forward::Forward(const Pack& pack, const ForwardOptions& options)
    : pass_(std::make_unique<Pass>(pack, options)) {}
Forward::~Forward() = default;

Result<void> Forward::step(std::span<const Segment> segments) { return pass_->step(segments); }
int Forward::wanted() const { return pass_->plan().wanted(); }
Result<const float*> Forward::logits(int first, int count) { return pass_->logits(first, count); }
std::size_t Forward::logits_stride() const { return static_cast<std::size_t>(config().vocab); }
const ForwardOptions& Forward::options() const { return pass_->options(); }
const ModelConfig& Forward::config() const { return pass_->config(); }
ThreadTeam& Forward::team() { return pass_->team(); }

}  // namespace adit::model
