// SPDX-License-Identifier: MIT
// Whatever a client may send to the local chain: JSON of any shape, and extrinsics of any bytes.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"
#include "validator/localnet/rpc_connection.hpp"

namespace {

adit::validator::Node& node() {
  static const adit::SystemClock clock;
  static const auto opened = adit::validator::Node::open(std::nullopt, clock, 4);
  if (!opened) __builtin_trap();
  return **opened;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::size_t answers = 0;
  adit::validator::RpcConnection connection(node(), [&](const std::string& text) { answers += !text.empty(); });
  const std::string_view text = adit::as_text({data, size});
  // Many blocks at once are slow, not wrong.
  if (text.find("dev_newBlock") == std::string_view::npos) {
    connection.receive(text);
    if (answers == 0) __builtin_trap();
  }
  static_cast<void>(node().submit({data, size}));
  return 0;
}
