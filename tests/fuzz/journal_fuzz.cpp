// SPDX-License-Identifier: MIT
#include <cstdint>
#include <cstdlib>

#include "miner/serve/journal.hpp"

// Whatever the bytes are: the part that is called intact is exactly the records that were found.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const adit::miner::JournalContent content = adit::miner::parse_journal({data, size});
  if (content.intact_bytes > size || content.file_bytes != size) std::abort();
  if (content.records.empty()) return 0;
  adit::Bytes again(data, data + 8);
  for (const adit::miner::JournalRecord& record : content.records) {
    adit::append(again, adit::miner::frame_record(record));
  }
  if (again != adit::Bytes(data, data + content.intact_bytes)) std::abort();
  return 0;
}
