// SPDX-License-Identifier: MIT
#include <array>

#include "miner/plan/cards.hpp"

namespace adit::miner {

std::span<const Card> cards() {
  static constexpr std::array kCards{
      Card{"RTX 3060 12G", 12, 360}, Card{"RTX 3090", 24, 936},  Card{"RTX 4060 Ti 16G", 16, 288},
      Card{"RTX 4070", 12, 504},     Card{"RTX 4080", 16, 717},  Card{"RTX 4090", 24, 1008},
      Card{"RTX 5070 Ti", 16, 896},  Card{"RTX 5080", 16, 960},  Card{"RTX 5090", 32, 1792},
      Card{"T4", 16, 320},           Card{"A100 40G", 40, 1555}, Card{"A100 80G", 80, 2039},
      Card{"H100 80G", 80, 3350},
  };
  return kCards;
}

}  // namespace adit::miner
