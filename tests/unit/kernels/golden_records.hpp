// SPDX-License-Identifier: MIT
// tests/unit/kernels/golden_records.hpp
//
// The vectors of tests/vectors/numerics: one record for each case of an operation.
//
// Threads  one.
#pragma once

#include <bit>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/kernels/kernel_test.hpp"

namespace adit::kernels {

struct Record {
  std::string op;
  std::map<std::string, std::vector<std::uint32_t>> arrays;

  std::vector<float> floats(const std::string& name) const {
    std::vector<float> values;
    for (const std::uint32_t bits : arrays.at(name)) values.push_back(float_of(bits));
    return values;
  }
  std::vector<int> ints(const std::string& name) const {
    std::vector<int> values;
    for (const std::uint32_t bits : arrays.at(name))
      values.push_back(std::bit_cast<std::int32_t>(bits));
    return values;
  }
};

// Blocks of lines: the operation, then a name and hexadecimal words each; an empty line ends a block.
inline std::vector<Record> records_of(const std::string& op, const std::string& name = "numerics_v1.txt") {
  std::ifstream file(std::string(ADIT_TEST_VECTORS) + "/numerics/" + name);
  std::vector<Record> records;
  Record record;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first.empty()) {
      if (record.op == op) records.push_back(record);
      record = Record{};
    } else if (record.op.empty()) {
      record.op = first;
    } else {
      std::uint32_t word = 0;
      while (words >> std::hex >> word) record.arrays[first].push_back(word);
    }
  }
  EXPECT_FALSE(records.empty()) << "no vectors of " << op;
  return records;
}

inline std::vector<Isa> all_isas() {
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  return isas;
}

}  // namespace adit::kernels
