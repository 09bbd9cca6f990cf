// SPDX-License-Identifier: MIT
#include "common/crypto/keyfile.hpp"

#include <array>
#include <string>
#include <system_error>
#include <utility>

#include "common/base/files.hpp"
#include "common/base/limits.hpp"
#include "common/crypto/keyfile_json.hpp"
#include "common/crypto/mnemonic.hpp"
#include "common/crypto/ss58.hpp"

namespace adit::crypto {
namespace {

constexpr unsigned kKeyMode = 0600;
constexpr unsigned kPublicMode = 0644;

// A file's bytes, wiped at the end.
struct Content {
  explicit Content(Bytes from) : bytes(std::move(from)) {}
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;
  ~Content() { wipe(bytes); }

  Bytes bytes;
};

std::string_view trimmed(ByteView content) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::string_view text = as_text(content);
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

Result<void> check_unencrypted(std::string_view text) {
  for (const std::string_view mark : {"$NACL", "$ANSIBLE_VAULT", "gAAAAA"}) {
    if (text.starts_with(mark)) {
      return failed_precondition("encrypted ({}...); only key files without a password can be read", mark);
    }
  }
  if (text.empty()) return invalid_argument("empty file");
  return {};
}

// Every stored form of the account must be the account.
Result<void> check_account(const KeyfileFields& fields, const AccountId& account) {
  const std::array stored = {std::pair{"ss58Address", &fields.address},
                             std::pair{"publicKey", &fields.public_key},
                             std::pair{"accountId", &fields.account_id}};
  for (const auto& [field, value] : stored) {
    if (*value && **value != account) {
      return invalid_argument("{}: is {}, but the other fields give {}", field, ss58_encode(**value),
                              ss58_encode(account));
    }
  }
  return {};
}

template <class T>
Result<T> in_field(Result<T> result, const char* field) {
  if (!result) return tl::unexpected(result.error().context(field));
  return result;
}

Result<Keypair> pair_of(const KeyfileFields& fields, Scheme scheme) {
  if (fields.phrase) {
    return in_field(Keypair::from_mnemonic(scheme, as_text(fields.phrase->view())), "secretPhrase");
  }
  if (fields.seed) return in_field(Keypair::from_seed(scheme, fields.seed->view()), "secretSeed");
  if (fields.private_key) {
    const ByteView key = fields.private_key->view();
    if (scheme == Scheme::kEd25519 && key.size() == 32) return Keypair::from_seed(scheme, key);
    return in_field(Keypair::from_private_key(scheme, key), "privateKey");
  }
  return failed_precondition("no secretPhrase, secretSeed or privateKey: the file holds a public key only");
}

Result<Keypair> checked_pair(const KeyfileFields& fields, Scheme scheme) {
  ADIT_TRY(Keypair pair, pair_of(fields, scheme));
  ADIT_TRY_VOID(check_account(fields, pair.public_key()));
  return pair;
}

// What is not JSON may be a bare secret: hex of a seed or private key, or a phrase.
Result<KeyfileFields> bare_fields(std::string_view text) {
  KeyfileFields out;
  const std::size_t digits = text.size() - (text.starts_with("0x") ? 2 : 0);
  const bool is_hex = text.find_first_of(" \t\r\n") == std::string_view::npos;
  if (is_hex && digits == 64) {
    ADIT_TRY(out.seed, secret_from_hex(text, 32));
  } else if (is_hex && digits == 128) {
    ADIT_TRY(out.private_key, secret_from_hex(text, 64));
  } else if (is_hex) {
    return invalid_argument("neither a JSON object, nor 64 or 128 hex digits, nor a mnemonic");
  } else {
    out.phrase = Secret::copy_of(as_bytes(text));
  }
  return out;
}

Result<void> check_absent(const std::filesystem::path& path) {
  std::error_code failed;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, failed))) return {};
  return make_error(ErrorCode::kAlreadyExists, "{}: exists already; a key file is never overwritten",
                    path.string());
}

Result<void> make_folder(const std::filesystem::path& folder) {
  if (folder.empty() || std::filesystem::exists(folder)) return {};
  ADIT_TRY_VOID(make_folder(folder.parent_path()));
  std::error_code failed;
  if (std::filesystem::create_directory(folder, failed)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
  }
  if (failed) return system_error(folder, "creating the folder", failed.value());
  return {};
}

}  // namespace

WalletPaths wallet_paths(const std::filesystem::path& dir, std::string_view wallet, std::string_view hotkey) {
  const std::filesystem::path root = dir / wallet;
  const std::filesystem::path key = root / "hotkeys" / hotkey;
  return {.coldkey = root / "coldkey",
          .coldkeypub = root / "coldkeypub.txt",
          .hotkey = key,
          .hotkeypub = key.string() + "pub.txt"};
}

Result<Keypair> parse_keyfile(ByteView content) {
  const std::string_view text = trimmed(content);
  ADIT_TRY_VOID(check_unencrypted(text));
  ADIT_TRY(const KeyfileFields fields,
           text.starts_with('{') ? parse_keyfile_json(text) : bare_fields(text));
  Result<Keypair> pair = checked_pair(fields, fields.scheme.value_or(Scheme::kSr25519));
  if (pair || fields.scheme || !fields.address) return pair;
  // Without cryptoType the address decides: it may be an ed25519 key's.
  if (Result<Keypair> other = checked_pair(fields, Scheme::kEd25519)) return other;
  return pair;
}

Result<AccountId> parse_public(ByteView content) {
  const std::string_view text = trimmed(content);
  ADIT_TRY_VOID(check_unencrypted(text));
  ADIT_TRY(const KeyfileFields fields, parse_keyfile_json(text));
  for (const auto* stored : {&fields.address, &fields.public_key, &fields.account_id}) {
    if (!*stored) continue;
    ADIT_TRY_VOID(check_account(fields, **stored));
    return **stored;
  }
  return invalid_argument("expected one of the fields ss58Address, publicKey, accountId");
}

Result<Keypair> load_keyfile(const std::filesystem::path& path) {
  ADIT_TRY(Bytes bytes, read_file(path, limits::kKeyfileBytesMax));
  const Content content(std::move(bytes));
  Result<Keypair> pair = parse_keyfile(content.bytes);
  if (!pair) return tl::unexpected(pair.error().context(path.string()));
  return pair;
}

Result<AccountId> load_public(const std::filesystem::path& path) {
  ADIT_TRY(Bytes bytes, read_file(path, limits::kKeyfileBytesMax));
  const Content content(std::move(bytes));
  const Result<AccountId> account = parse_public(content.bytes);
  if (!account) return tl::unexpected(account.error().context(path.string()));
  return account;
}

Result<void> store_public(const std::filesystem::path& path, Scheme scheme, const AccountId& account) {
  ADIT_TRY_VOID(check_absent(path));
  ADIT_TRY_VOID(make_folder(path.parent_path()));
  return write_file_atomic(path, as_bytes(public_text(scheme, account)), kPublicMode);
}

Result<Keypair> store_keyfile(const std::filesystem::path& path, Scheme scheme, std::string_view phrase) {
  const std::filesystem::path public_path = path.string() + "pub.txt";
  ADIT_TRY_VOID(check_absent(path));
  ADIT_TRY_VOID(check_absent(public_path));
  ADIT_TRY(const Secret entropy, entropy_of_mnemonic(phrase));
  ADIT_TRY(const Secret seed, seed_from_mnemonic(phrase));
  ADIT_TRY(Keypair pair, Keypair::from_seed(scheme, seed.view()));
  ADIT_TRY_VOID(make_folder(path.parent_path()));
  // Written with single blanks, whatever the caller's spacing.
  std::string words = mnemonic_of_entropy(entropy.view());
  std::string text = keyfile_text(pair, words, seed.view());
  const Result<void> written = write_file_atomic(path, as_bytes(text), kKeyMode);
  wipe(words);
  wipe(text);
  ADIT_TRY_VOID(written);
  ADIT_TRY_VOID(store_public(public_path, scheme, pair.public_key()));
  return pair;
}

}  // namespace adit::crypto
