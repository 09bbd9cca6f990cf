// SPDX-License-Identifier: MIT
// A peer's side of peers.mjs: times ik_llama.cpp on one GGUF file and prints one JSON object, as llama_cpp.mjs does
// for llama.cpp. peers.sh compiles it against the library it has built; it is no part of the project's own build.
//
//   ik_llama MODEL.gguf THREADS REPEAT PROMPT_TOKENS DECODE_TOKENS REPACK(0|1)
//
// The same work as `adit-miner bench`: random tokens, a prompt in one batch with the last row's logits, then a decode
// of one token a step from an empty context, each step's logits. No token is picked, which favours the peer. Flash
// attention on, KV cache f16.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "llama.h"

namespace {

[[noreturn]] void stop(const char* what) {
  std::fprintf(stderr, "ik_llama: %s\n", what);
  std::exit(1);
}

// Ids of the vocabulary from a fixed generator, so that every run is alike.
std::vector<llama_token> random_tokens(int count, int vocabulary) {
  std::uint32_t state = 7;
  std::vector<llama_token> tokens;
  for (int i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    const auto scaled = (std::uint64_t{state} * static_cast<std::uint64_t>(vocabulary)) >> 32;
    tokens.push_back(static_cast<llama_token>(scaled));
  }
  return tokens;
}

double seconds_of(llama_context* context, const std::vector<llama_token>& tokens, int rows, int chunk) {
  llama_kv_cache_clear(context);
  llama_batch batch = llama_batch_init(chunk, 0, 1);
  const auto start = std::chrono::steady_clock::now();
  for (int done = 0; done < rows; done += chunk) {
    const int here = std::min(chunk, rows - done);
    batch.n_tokens = here;
    for (int i = 0; i < here; ++i) {
      batch.token[i] = tokens[static_cast<std::size_t>(done + i)];
      batch.pos[i] = done + i;
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = i == here - 1;
    }
    if (llama_decode(context, batch) != 0) stop("llama_decode failed");
    // Waits for the results, where the library computes them later.
    if (llama_get_logits_ith(context, here - 1) == nullptr) stop("no logits");
  }
  const auto end = std::chrono::steady_clock::now();
  llama_batch_free(batch);
  return std::chrono::duration<double>(end - start).count();
}

void print_speed(const char* name, int count, std::vector<double> seconds, const char* end) {
  std::sort(seconds.begin(), seconds.end());
  std::printf("\"%s_best\": %.3f, \"%s_median\": %.3f%s", name, count / seconds.front(), name,
              count / seconds[seconds.size() / 2], end);
}

void quiet(ggml_log_level, const char*, void*) {}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) stop("usage: ik_llama MODEL.gguf THREADS REPEAT PROMPT_TOKENS DECODE_TOKENS REPACK");
  const int threads = std::atoi(argv[2]);
  const int repeat = std::atoi(argv[3]);
  const int prompt_tokens = std::atoi(argv[4]);
  const int decode_tokens = std::atoi(argv[5]);
  if (threads < 1 || repeat < 1 || prompt_tokens < 1 || decode_tokens < 1) stop("counts from 1 on");
  llama_log_set(quiet, nullptr);
  llama_backend_init();
  llama_model_params model_params = llama_model_default_params();
  model_params.repack_tensors = std::atoi(argv[6]) != 0;
  model_params.use_mmap = !model_params.repack_tensors;
  llama_model* model = llama_model_load_from_file(argv[1], model_params);
  if (model == nullptr) stop("could not load the model");
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<std::uint32_t>(std::max(prompt_tokens, decode_tokens));
  params.n_batch = params.n_ubatch = static_cast<std::uint32_t>(prompt_tokens);
  params.n_threads = params.n_threads_batch = static_cast<std::uint32_t>(threads);
  params.flash_attn = true;
  llama_context* context = llama_init_from_model(model, params);
  if (context == nullptr) stop("could not make a context");
  const std::vector<llama_token> tokens =
      random_tokens(std::max(prompt_tokens, decode_tokens), llama_n_vocab(model));
  std::vector<double> prompt;
  std::vector<double> decode;
  for (int round = -1; round < repeat; ++round) {  // one unmeasured round brings the model into memory
    const double p = seconds_of(context, tokens, prompt_tokens, prompt_tokens);
    const double d = seconds_of(context, tokens, decode_tokens, 1);
    if (round < 0) continue;
    prompt.push_back(p);
    decode.push_back(d);
  }
  std::printf("{");
  print_speed("prompt", prompt_tokens, prompt, ", ");
  print_speed("decode", decode_tokens, decode, "}\n");
  return 0;
}
