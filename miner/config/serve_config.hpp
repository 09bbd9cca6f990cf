// SPDX-License-Identifier: MIT
// miner/config/serve_config.hpp
//
// The configuration of `adit-miner serve`: one YAML file, one plain struct.
//
// Errors   parse: kInvalidArgument with file, line, key, what was expected.
// Units    durations in nanoseconds, stake in rao, sizes in bytes.
// Threads  plain values.
// Tests    tests/unit/miner/config/serve_config_test.cpp, configs/miner.example.yaml (every key)
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/strong.hpp"
#include "common/config/yaml_reader.hpp"
#include "common/model/thread_pins.hpp"
#include "common/net/endpoint.hpp"

namespace adit::miner {

// auto: the best that this machine supports.
enum class IsaChoice : std::uint8_t { kAuto, kScalar, kAvx2, kAvx512 };

// Keys and values: f16 is numerics 1, int8 numerics 2.
enum class KvChoice : std::uint8_t { kF16, kInt8 };

struct KeysConfig {
  // Either a wallet in the Bittensor layout …
  std::filesystem::path dir;
  std::string name = "default";
  std::string hotkey = "default";
  // … or a hotkey file by itself.
  std::filesystem::path hotkey_file;
  // Only for register: true.
  std::filesystem::path coldkey_file;
};

struct ServeConfig {
  std::filesystem::path pack;
  KeysConfig keys;

  std::string chain_url = "ws://127.0.0.1:9944";
  NetUid netuid = 1;
  bool register_hotkey = false;
  std::uint64_t refresh_ns = 12'000'000'000;

  net::Endpoint bind;
  net::Endpoint advertise;
  bool allow_insecure = false;
  std::filesystem::path certificate;
  std::filesystem::path certificate_key;
  int threads = 32;
  int streams_per_connection = 64;
  std::uint64_t drain_ns = 30'000'000'000;

  bool require_permit = true;
  Rao min_stake = 0;
  std::uint32_t questions_per_hotkey = 8;
  std::uint32_t calls_per_second = 20;
  std::uint32_t calls_burst = 40;
  std::vector<Hash256> charters;

  IsaChoice isa = IsaChoice::kAuto;
  int engine_threads = 0;  // 0: one for each processor, or as many as pin names
  model::PinChoice pin{};
  int batch_max = 8;
  int queue_max = 32;
  int prefill_chunk = 128;
  KvChoice kv = KvChoice::kF16;
  // Absent: whatever charter the hashes in admission.charters name.
  std::filesystem::path charter_file;
  std::uint64_t kv_bytes = 0;  // 0: a quarter of the machine's memory
  int context = 0;  // 0: the model's

  // Absent: no HTTP endpoint for local users.
  std::optional<net::Endpoint> http_listen;
  std::filesystem::path http_api_key_file;
  // Empty: the pack's.
  std::filesystem::path http_chat_template;
  // Names that local requests give, and the folders of the adapters. The subnet's questions get none.
  std::vector<std::pair<std::string, std::filesystem::path>> http_adapters;

  std::filesystem::path journal;
  std::uint64_t journal_bytes_max = 64u << 20;
};

[[nodiscard]] Result<ServeConfig> read_serve_config(config::YamlReader& root);
[[nodiscard]] Result<ServeConfig> load_serve_config(const std::filesystem::path& file);

}  // namespace adit::miner
