// SPDX-License-Identifier: MIT
// tests/fuzz/driver.cpp
//
// Runs a fuzz target without libFuzzer: replays every file of a corpus folder, then mutated copies of them
// until the time is up. The stream of inputs depends only on the seed and the corpus.
//
// Use      <target> [--seconds=N] [--seed=S] CORPUS_FOLDER_OR_FILE...
// Out      exit 0 when no input crashed or hung; 2 on wrong use or an empty corpus. A crash or an input that
//          takes over 20 s leaves the input in ./crash-<target>.bin, which can be given back as a file.
// Threads  one.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Present when a sanitizer is linked in. It then reports memory errors itself and calls back before it ends.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using Input = std::vector<std::uint8_t>;
constexpr std::size_t kInputBytesMax = 1u << 20;
constexpr unsigned kInputSecondsMax = 20;

// What the signal handler writes down; set before each input.
Input current;
std::array<char, 256> crash_path{};

void save_current() {
  const int fd = open(crash_path.data(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd >= 0) {
    const ssize_t wrote = write(fd, current.data(), current.size());
    static_cast<void>(wrote);
    close(fd);
  }
  constexpr std::string_view kSaid = "fuzz: crash or hang; input saved as ";
  ssize_t said = write(STDERR_FILENO, kSaid.data(), kSaid.size());
  said = write(STDERR_FILENO, crash_path.data(), std::strlen(crash_path.data()));
  said = write(STDERR_FILENO, "\n", 1);
  static_cast<void>(said);
}

extern "C" void on_crash(int signal_number) {
  save_current();
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }

 private:
  std::uint64_t state_;
};

void run_one(const Input& input) {
  current = input;
  alarm(kInputSecondsMax);
  LLVMFuzzerTestOneInput(current.data(), current.size());
}

// Overwrites 1, 2, 4 or 8 bytes with a value that tends to sit on a border.
void write_border_value(Input& input, Random& random) {
  constexpr std::array<std::uint64_t, 12> kBorders = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff,
                                                      0xffffffff, 0x100000000, INT64_MAX, UINT64_MAX};
  const std::size_t width = std::size_t{1} << random.below(4);
  if (input.size() < width) return;
  const std::uint64_t value = kBorders[random.below(kBorders.size())] - random.below(2);
  std::memcpy(input.data() + random.below(input.size() - width + 1), &value, width);
}

void mutate_once(Input& input, const std::vector<Input>& corpus, Random& random) {
  const std::size_t at = input.empty() ? 0 : random.below(input.size());
  const auto here = input.begin() + static_cast<std::ptrdiff_t>(at);
  const std::size_t span = std::min(input.size() - at, std::size_t{1} << random.below(8));
  const auto there = here + static_cast<std::ptrdiff_t>(span);
  switch (random.below(8)) {
    case 0:
      if (!input.empty()) *here ^= static_cast<std::uint8_t>(1u << random.below(8));
      break;
    case 1:
      if (!input.empty()) *here = static_cast<std::uint8_t>(random.next());
      break;
    case 2: write_border_value(input, random); break;
    case 3: input.erase(here, there); break;
    case 4: input.insert(here, 1 + random.below(16), static_cast<std::uint8_t>(random.next())); break;
    case 5: {
      const Input copy(here, there);
      input.insert(input.begin() + static_cast<std::ptrdiff_t>(random.below(input.size() + 1)), copy.begin(),
                   copy.end());
      break;
    }
    case 6: input.resize(at); break;
    default: {
      const Input& other = corpus[random.below(corpus.size())];
      const std::size_t from = random.below(other.size() + 1);
      input.resize(at);
      input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
    }
  }
}

bool load(const std::filesystem::path& path, std::vector<Input>& corpus) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed)) {
    for (const auto& entry : std::filesystem::directory_iterator(path, failed)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  } else {
    files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
      std::fprintf(stderr, "fuzz: %s: cannot be read\n", file.c_str());
      return false;
    }
    corpus.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return true;
}

bool number_after(std::string_view text, std::string_view prefix, std::uint64_t& out) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

std::uint64_t mutate_for(std::chrono::seconds time, std::uint64_t seed, const std::vector<Input>& corpus) {
  Random random(seed);
  std::uint64_t runs = 0;
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
    Input input = corpus[random.below(corpus.size())];
    for (std::size_t i = 1 + random.below(6); i > 0; --i) mutate_once(input, corpus, random);
    if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
    run_one(input);
    ++runs;
  }
  return runs;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seconds = 4;
  std::uint64_t seed = 1;
  std::vector<Input> corpus;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (number_after(argument, "--seconds=", seconds) || number_after(argument, "--seed=", seed)) continue;
    if (argument.starts_with("--") || !load(argument, corpus)) {
      std::fprintf(stderr, "use: %s [--seconds=N] [--seed=S] CORPUS...\n", argv[0]);
      return 2;
    }
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "fuzz: no corpus files given\n");
    return 2;
  }
  const std::string crash = "crash-" + std::filesystem::path(argv[0]).filename().string() + ".bin";
  crash.copy(crash_path.data(), crash_path.size() - 1);
  for (const int number : {SIGABRT, SIGALRM, SIGILL}) signal(number, on_crash);
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(save_current);
  } else {
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE}) signal(number, on_crash);
  }

  for (const Input& input : corpus) run_one(input);
  const std::uint64_t runs = mutate_for(std::chrono::seconds(seconds), seed, corpus);
  alarm(0);
  std::fprintf(stderr, "fuzz: %zu corpus files and %llu mutated inputs, seed %llu: no crash\n", corpus.size(),
               static_cast<unsigned long long>(runs), static_cast<unsigned long long>(seed));
  return 0;
}
