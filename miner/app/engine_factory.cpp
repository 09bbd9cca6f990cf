// SPDX-License-Identifier: MIT
#include "miner/app/engine_factory.hpp"

#include <utility>

#include "common/config/yaml_reader.hpp"
#include "common/log/log.hpp"
#include "miner/serve/engine_source.hpp"

namespace adit::miner {
namespace {

Result<kernels::Isa> isa_of(IsaChoice choice) {
  kernels::Isa isa = kernels::best_isa();
  switch (choice) {
    case IsaChoice::kAuto:
      break;
    case IsaChoice::kScalar:
      isa = kernels::Isa::kScalar;
      break;
    case IsaChoice::kAvx2:
      isa = kernels::Isa::kAvx2;
      break;
    case IsaChoice::kAvx512:
      isa = kernels::Isa::kAvx512;
      break;
  }
  if (!kernels::isa_supported(isa)) {
    return failed_precondition("engine.isa: this machine does not support {}",
                               kernels::isa_name(isa));
  }
  return isa;
}

}  // namespace

Result<std::shared_ptr<const model::Pack>> open_checked_pack(const std::filesystem::path& path) {
  ADIT_TRY(model::Pack pack, model::Pack::open(path));
  ADIT_TRY_VOID(model::check_declaration(pack));
  ADIT_TRY_VOID(pack.verify_content_hash());
  return std::make_shared<const model::Pack>(std::move(pack));
}

model::KvForm kv_form_of(KvChoice choice) {
  return choice == KvChoice::kInt8 ? model::KvForm::kI8 : model::KvForm::kF16;
}

Result<void> check_served(const ServeConfig& config, const model::Pack& pack) {
  const model::KvForm kv = kv_form_of(config.kv);
  if (auto fits = model::check_kv(pack.config(), kv); !fits)
    return tl::unexpected<Error>(fits.error().context("engine.kv"));
  if (config.charter_file.empty()) return {};
  // What else a charter holds is the validators' concern.
  ADIT_TRY(config::YamlReader root, config::YamlReader::from_file(config.charter_file));
  config::YamlReader served = root.section("model");
  Hash256 named{};
  std::uint32_t numerics = served.has("numerics") ? 0 : 1;
  served.hash("pack", named);
  served.integer("numerics", numerics, 1, model::kNumericsMax);
  const std::string file = config.charter_file.string();
  if (named != pack.content_hash()) {
    return failed_precondition("pack: {} has the content hash {}, but model.pack of {} is {}",
                               pack.path().string(), to_hex(pack.content_hash()), file, to_hex(named));
  }
  if (numerics != model::numerics_of(kv)) {
    return failed_precondition("engine.kv: {} is numerics {}, but model.numerics of {} is {}", model::name(kv),
                               model::numerics_of(kv), file, numerics);
  }
  return {};
}

Result<std::unique_ptr<AnswerSource>> make_engine_source(const ServeConfig& config,
                                                         std::shared_ptr<const model::Pack> pack,
                                                         protocol::Card card) {
  ADIT_TRY_VOID(check_served(config, *pack));
  ADIT_TRY(const kernels::Isa isa, isa_of(config.isa));
  const int threads = config.engine_threads == 0 ? model::threads_here(config.pin) : config.engine_threads;
  auto cpus = model::place_workers(config.pin, threads);
  if (!cpus) return tl::unexpected<Error>(cpus.error().context("engine.pin"));
  const model::EngineOptions options{
      .isa = isa,
      .kv = kv_form_of(config.kv),
      .threads = threads,
      .cpus = *std::move(cpus),
      .prefill_chunk = config.prefill_chunk,
      .batch_max = config.batch_max,
      .kv_bytes = config.kv_bytes};
  ADIT_LOG(kInfo, "engine", {"model", pack->config().name}, {"isa", kernels::isa_name(isa)},
           {"kv", model::name(options.kv)},
           {"threads", options.threads}, {"pin", config.pin.text()},
           {"batch", options.batch_max}, {"queue", config.queue_max});
  return std::make_unique<EngineSource>(std::move(pack), std::move(card), options,
                                        static_cast<std::uint32_t>(config.queue_max));
}

}  // namespace adit::miner
