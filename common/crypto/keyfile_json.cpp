// SPDX-License-Identifier: MIT
#include "common/crypto/keyfile_json.hpp"

#include <nlohmann/json.hpp>

#include "common/crypto/ss58.hpp"

namespace adit::crypto {
namespace {

using Json = nlohmann::json;

// The parsed object; wipes every text in it when it goes.
class WipedJson {
 public:
  explicit WipedJson(std::string_view text) : value_(Json::parse(text)) {}
  WipedJson(const WipedJson&) = delete;
  WipedJson& operator=(const WipedJson&) = delete;
  ~WipedJson() {
    if (!value_.is_object()) return;
    for (auto& item : value_) {
      if (auto* text = item.get_ptr<Json::string_t*>()) wipe(*text);
    }
  }
  [[nodiscard]] const Json& get() const { return value_; }

 private:
  Json value_;
};

Result<std::optional<std::string_view>> text_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) return invalid_argument("{}: expected text, got {}", field, found->type_name());
  return std::string_view(found->get_ref<const std::string&>());
}

// `size` bytes, or `short_size` bytes if the text has that length.
Result<std::optional<Secret>> hex_secret(const Json& object, const char* field, std::size_t size,
                                         std::size_t short_size = 0) {
  ADIT_TRY(const auto text, text_of(object, field));
  if (!text) return std::nullopt;
  const std::size_t digits = text->size() - (text->starts_with("0x") ? 2 : 0);
  const bool is_short = short_size > 0 && digits == 2 * short_size;
  auto secret = secret_from_hex(*text, is_short ? short_size : size);
  if (!secret) return tl::unexpected(secret.error().context(field));
  return std::optional<Secret>(*std::move(secret));
}

Result<std::optional<AccountId>> hex_account(const Json& object, const char* field) {
  ADIT_TRY(const auto text, text_of(object, field));
  if (!text) return std::nullopt;
  const auto account = fixed_from_hex<32>(*text);
  if (!account) return tl::unexpected(account.error().context(field));
  return *account;
}

// Old files carry a blank in front of the field's name.
Result<std::optional<AccountId>> address_of(const Json& object) {
  for (const char* field : {"ss58Address", " ss58Address"}) {
    ADIT_TRY(const auto text, text_of(object, field));
    if (!text) continue;
    const auto account = ss58_decode(*text);
    if (!account) return tl::unexpected(account.error().context(field));
    return *account;
  }
  return std::nullopt;
}

// A number, or a text that holds one.
Result<std::optional<Scheme>> scheme_of(const Json& object) {
  const auto found = object.find("cryptoType");
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (*found == 0 || *found == "0") return Scheme::kEd25519;
  if (*found == 1 || *found == "1") return Scheme::kSr25519;
  return invalid_argument("cryptoType: expected 0 (ed25519) or 1 (sr25519)");
}

std::string public_fields(Scheme scheme, const AccountId& account) {
  const std::string hex = to_hex(account);
  std::string out = fmt::format(R"("accountId":"0x{}","publicKey":"0x{}","ss58Address":"{}")", hex, hex,
                                ss58_encode(account));
  if (scheme != Scheme::kSr25519) out += fmt::format(R"(,"cryptoType":{})", static_cast<int>(scheme));
  return out;
}

void append_and_wipe(std::string& out, std::string_view field, std::string value) {
  out.append(",\"").append(field).append("\":\"").append(value).append("\"");
  wipe(value);
}

Result<KeyfileFields> fields_of(const Json& object) {
  KeyfileFields out;
  ADIT_TRY(out.scheme, scheme_of(object));
  ADIT_TRY(const auto phrase, text_of(object, "secretPhrase"));
  if (phrase) out.phrase = Secret::copy_of(as_bytes(*phrase));
  ADIT_TRY(out.seed, hex_secret(object, "secretSeed", 32));
  ADIT_TRY(out.private_key, hex_secret(object, "privateKey", 64, 32));
  ADIT_TRY(out.public_key, hex_account(object, "publicKey"));
  ADIT_TRY(out.account_id, hex_account(object, "accountId"));
  ADIT_TRY(out.address, address_of(object));
  return out;
}

}  // namespace

Result<KeyfileFields> parse_keyfile_json(std::string_view text) {
  try {
    const WipedJson json(text);
    if (!json.get().is_object()) return invalid_argument("expected a JSON object");
    return fields_of(json.get());
  } catch (const Json::parse_error& error) {
    // error.what() quotes the text, which may be a secret.
    return invalid_argument("not JSON: stopped at byte {}", error.byte);
  } catch (const Json::exception& error) {
    return invalid_argument("not a key file: JSON error {}", error.id);
  }
}

std::string keyfile_text(const Keypair& pair, std::string_view phrase, ByteView seed) {
  std::string out;
  // Reserved in full, so that growing leaves no copies behind.
  out.reserve(1024);
  out.append("{").append(public_fields(pair.scheme(), pair.public_key()));
  const ByteView key = pair.private_key(SecretKeyAccess{});
  const std::size_t key_bytes = pair.scheme() == Scheme::kSr25519 ? 64 : 32;
  append_and_wipe(out, "privateKey", "0x" + to_hex(key.first(key_bytes)));
  append_and_wipe(out, "secretPhrase", std::string(phrase));
  append_and_wipe(out, "secretSeed", "0x" + to_hex(seed));
  return out.append("}");
}

std::string public_text(Scheme scheme, const AccountId& account) {
  return "{" + public_fields(scheme, account) + "}";
}

}  // namespace adit::crypto
