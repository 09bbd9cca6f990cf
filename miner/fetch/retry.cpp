// SPDX-License-Identifier: MIT
#include "miner/fetch/retry.hpp"

#include <algorithm>
#include <charconv>

namespace adit::miner {
namespace {

constexpr std::size_t kReasonBytesMax = 200;

// What the endpoint says in its own words, fit for a terminal.
std::string reason_of(const Transfer& transfer) {
  std::string text(transfer.first_header("x-error-message").substr(0, kReasonBytesMax));
  if (text.empty()) text = transfer.first_header("x-error-code").substr(0, kReasonBytesMax);
  for (char& c : text) c = c >= 0x20 && c < 0x7F ? c : '?';
  return text.empty() ? text : " (" + text + ")";
}

}  // namespace

bool may_pass(int status) {
  return status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

tl::unexpected<Error> status_error(const std::string& url, const Transfer& transfer) {
  const std::string reason = reason_of(transfer);
  switch (transfer.status()) {
    case 401:
      return unauthenticated(
          "{}: status 401{}: there is no such repository, or it needs a token (--token-file)", url, reason);
    case 403:
      return permission_denied(
          "{}: status 403{}: the token may not read this; a gated model's terms must be "
          "accepted on its page first",
          url, reason);
    case 404:
      return not_found("{}: status 404{}: no such repository, revision or file", url, reason);
    default:
      return make_error(ErrorCode::kUnavailable, "{}: status {}{}, expected 200", url, transfer.status(),
                        reason);
  }
}

std::optional<std::chrono::milliseconds> retry_after(const Transfer& transfer) {
  if (transfer.hops.empty()) return std::nullopt;
  const std::string_view text = transfer.hops.back().header("retry-after");
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::milliseconds(std::uint64_t{seconds} * 1000);
}

Result<void> Retrier::wait(const std::string& why, std::uint64_t received,
                           std::optional<std::chrono::milliseconds> after) {
  failures_ = received >= policy_.progress_bytes ? 1 : failures_ + 1;
  if (failures_ >= policy_.attempts) {
    return unavailable("{}: {}; gave up after {} tries", url_, why, failures_);
  }
  if (after && *after > policy_.retry_after_max) {
    return unavailable("{}: {}; it asks to come back in {} s", url_, why, after->count() / 1000);
  }
  const auto backoff = std::min(policy_.first_wait * (1 << (failures_ - 1)), policy_.wait_max);
  const auto pause = after ? std::max(*after, policy_.first_wait) : backoff;
  hooks_.note(
      fmt::format("{}: {}; trying again in {:.1f} s", url_, why, static_cast<double>(pause.count()) / 1000));
  hooks_.sleep(pause);
  return {};
}

Result<void> Retrier::wait(const Transfer& transfer, std::uint64_t received) {
  if (transfer.broken) return wait(*transfer.broken, received);
  if (!may_pass(transfer.status())) return status_error(url_, transfer);
  return wait(fmt::format("status {}{}", transfer.status(), reason_of(transfer)), received,
              retry_after(transfer));
}

}  // namespace adit::miner
