// SPDX-License-Identifier: MIT
// common/model/huge_pages.hpp
//
// Maps a pack so that the processor finds it through 2 MiB pages where the system can do that. A decode step
// reads every weight once; with 4 KiB pages the page tables cost it a sixth of its speed.
//
// In       a path. Files under kHugeFileBytes, or too large for this machine's memory, are mapped as they come.
// Out      the mapping of the file itself: shared with other processes, nothing copied.
// How      Linux keeps a file's cache in huge pages if it is read through a mapping that asks for it, on file
//          systems with large folios (ext4 from Linux 6.16, xfs, btrfs). A file that is in the cache in small
//          pages already is dropped from it first, after a trial with one 2 MiB piece: where the trial fails
//          nothing is read twice. On a machine of several memory nodes, what is read in is spread over them
//          (memory_spread.hpp); a file that is in the cache stays where it lies.
// Errors   as MappedFile::open. Where huge pages are not to be had the mapping is an ordinary one.
// Threads  any.
// Source   Linux: Documentation/admin-guide/mm/transhuge.rst, madvise(2)
// Tests    tests/unit/common/model/huge_pages_test.cpp
#pragma once

#include <cstddef>
#include <filesystem>

#include "common/base/files.hpp"
#include "common/base/result.hpp"

namespace adit::model {

inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;
inline constexpr std::size_t kHugeFileBytes = 4 * kHugePageBytes;

[[nodiscard]] Result<MappedFile> map_in_huge_pages(const std::filesystem::path& path);

// Whether a file of so many bytes is too large for this machine, or for the control group, to stay in memory.
[[nodiscard]] bool exceeds_memory(std::size_t bytes);

// Bytes of the mapping that begins at `bytes` that this process reaches through huge pages.
[[nodiscard]] std::size_t huge_bytes(ByteView bytes);

}  // namespace adit::model
