// SPDX-License-Identifier: MIT
// miner/openai/json.hpp
//
// JSON that keeps the order of its keys: what a schema declares first is generated first.
//
// Threads  plain values.
#pragma once

#include "common/model/constraint/ordered_json.hpp"

namespace adit::miner::openai {

using Json = model::constraint::Json;
using model::constraint::to_text;

}  // namespace adit::miner::openai
