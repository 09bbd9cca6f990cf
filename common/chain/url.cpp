// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cctype>
#include <string_view>

#include "common/chain/websocket.hpp"

namespace adit::chain {
namespace {

bool is_port(std::string_view text) {
  const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), digit)) return false;
  const int port = std::stoi(std::string(text));
  return port > 0 && port < 65536;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("wss://")) {
    url.tls = true;
    rest.remove_prefix(6);
  } else if (rest.starts_with("ws://")) {
    rest.remove_prefix(5);
  } else {
    return invalid_argument("chain url \"{}\": expected ws://host:port or wss://host:port", text);
  }
  const std::size_t slash = rest.find('/');
  url.path = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  std::string_view authority = rest.substr(0, slash);
  url.port = url.tls ? "443" : "80";
  // [v6]:port or host:port
  std::size_t colon = authority.rfind(':');
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return invalid_argument("chain url \"{}\": [ without ]", text);
    url.host = std::string(authority.substr(1, close - 1));
    colon = close + 1 < authority.size() ? close + 1 : std::string_view::npos;
    if (colon != std::string_view::npos && authority[colon] != ':') colon = std::string_view::npos;
  } else {
    url.host = std::string(authority.substr(0, colon));
  }
  if (colon != std::string_view::npos) {
    const std::string_view port = authority.substr(colon + 1);
    if (!is_port(port)) return invalid_argument("chain url \"{}\": port \"{}\"", text, port);
    url.port = std::string(port);
  }
  if (url.host.empty()) return invalid_argument("chain url \"{}\": no host", text);
  const auto plain = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  if (!std::all_of(text.begin(), text.end(), plain)) {
    return invalid_argument("chain url: a blank or a control character");
  }
  return url;
}

}  // namespace adit::chain
