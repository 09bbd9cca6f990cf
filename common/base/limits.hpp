// SPDX-License-Identifier: MIT
// common/base/limits.hpp
//
// Every bound of the project has its name here: files, messages, queues, waits, loops.
//
// Units    in the name: bytes, ms, count otherwise.
// Threads  constants.
#pragma once

#include <cstdint>

namespace adit::limits {

// Files
inline constexpr std::uint64_t kConfigBytesMax = 1u << 20;
inline constexpr std::uint64_t kKeyfileBytesMax = 64u << 10;
inline constexpr std::uint32_t kSecretUriBytesMax = 4096;
inline constexpr std::uint32_t kKeyJunctionsMax = 64;
inline constexpr std::uint64_t kMetadataBytesMax = 16u << 20;
inline constexpr std::uint64_t kTokenizerJsonBytesMax = 64u << 20;
inline constexpr std::uint64_t kPackHeaderBytesMax = 64u << 20;
inline constexpr std::uint64_t kChatTemplateBytesMax = 256u << 10;
inline constexpr std::uint64_t kChatMessagesMax = 4096;

// Model shapes: what a loader accepts before it allocates anything
inline constexpr std::uint32_t kTensorCountMax = 65536;
inline constexpr std::uint32_t kTensorDimsMax = 4;
inline constexpr std::uint64_t kTensorElementsMax = std::uint64_t{1} << 40;
inline constexpr std::uint32_t kVocabularyMax = 1u << 20;
inline constexpr std::uint32_t kLayersMax = 512;
inline constexpr std::uint32_t kContextMax = 1u << 20;
inline constexpr std::uint32_t kMetadataKeysMax = 65536;
inline constexpr std::uint64_t kStringBytesMax = 16u << 20;

// Wire
inline constexpr std::uint32_t kRequestBytesMax = 4u << 20;
inline constexpr std::uint32_t kPromptTokensMax = 65536;
inline constexpr std::uint32_t kNewTokensMax = 65536;
inline constexpr std::uint64_t kEnvelopeAgeNsMax = 10'000'000'000;
inline constexpr std::uint64_t kEnvelopeSkewNsMax = 2'000'000'000;
inline constexpr std::uint64_t kReplayRetentionNs = 60'000'000'000;
inline constexpr std::uint32_t kReplayEntriesMax = 65536;
inline constexpr std::uint32_t kReplayEntriesPerHotkeyMax = 8192;
inline constexpr std::uint32_t kStopIdsMax = 256;
inline constexpr std::uint32_t kTemperatureMilliMax = 100'000;
inline constexpr std::uint32_t kNameBytesMax = 128;
inline constexpr std::uint32_t kPeerTextBytesMax = 512;
inline constexpr std::uint32_t kRateHotkeysMax = 8192;
inline constexpr std::uint32_t kMetadataHeaderBytesMax = 16u << 10;
inline constexpr std::uint32_t kCertificateBytesMax = 1u << 20;
inline constexpr std::uint32_t kDescriptionBytesMax = 2u << 20;

// Miner
inline constexpr std::uint64_t kJournalBytesMax = std::uint64_t{1} << 30;
inline constexpr std::uint32_t kJournalRecordBytesMax = 2u << 20;
inline constexpr std::uint64_t kAnnounceWaitBlocksMin = 3;
inline constexpr std::uint64_t kAnnounceWaitBlocksMax = 50;
static_assert(kReplayRetentionNs >= 2 * (kEnvelopeAgeNsMax + kEnvelopeSkewNsMax));

// Engine
inline constexpr int kEngineThreadsMax = 256;
inline constexpr int kBatchRowsMax = 8192;
inline constexpr int kBatchSequencesMax = 256;

// Chain
inline constexpr std::uint32_t kUidsMax = 4096;
inline constexpr std::uint32_t kScaleDepthMax = 64;
inline constexpr std::uint32_t kScaleItemsMax = 1u << 22;
inline constexpr std::uint32_t kMetadataItemsMax = 1u << 20;
inline constexpr std::uint32_t kRpcMessageBytesMax = 64u << 20;
inline constexpr std::uint32_t kRpcPendingMax = 1024;
inline constexpr std::uint32_t kRpcNotificationsMax = 1024;
inline constexpr std::uint32_t kRpcEarlyNotificationsMax = 64;
inline constexpr std::uint32_t kRpcTimeoutMs = 60'000;

}  // namespace adit::limits
