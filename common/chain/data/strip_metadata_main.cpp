// SPDX-License-Identifier: MIT
//
// adit-strip-metadata IN OUT: writes OUT, the runtime metadata IN with its prose emptied.
#include <cstdio>

#include "common/base/files.hpp"
#include "common/base/limits.hpp"
#include "common/chain/metadata.hpp"

namespace {

adit::Result<void> run(const char* in, const char* out) {
  ADIT_TRY(const adit::Bytes blob, adit::read_file(in, adit::limits::kMetadataBytesMax));
  auto stripped = adit::chain::strip_metadata(blob);
  if (!stripped) return tl::unexpected<adit::Error>(stripped.error().context(in));
  ADIT_TRY_VOID(adit::write_file_atomic(out, *stripped));
  std::printf("%zu bytes -> %zu bytes\n", blob.size(), stripped->size());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: adit-strip-metadata IN OUT\n");
    return 2;
  }
  const auto done = run(argv[1], argv[2]);
  if (!done) std::fprintf(stderr, "adit-strip-metadata: %s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
