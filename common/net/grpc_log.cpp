// SPDX-License-Identifier: MIT
#include "common/net/grpc_log.hpp"

#include <grpc/support/log.h>

#include "common/log/log.hpp"

namespace adit::net {

void redirect_grpc_log() {
  gpr_set_log_function([](gpr_log_func_args* said) {
    ADIT_LOG(kDebug, "grpc", {"said", said->message}, {"file", said->file}, {"line", said->line});
  });
}

}  // namespace adit::net
