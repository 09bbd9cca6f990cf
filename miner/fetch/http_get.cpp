// SPDX-License-Identifier: MIT
#include "miner/fetch/http_get.hpp"

#include <cctype>
#include <cstdlib>

#include <curl/curl.h>

namespace adit::miner {
namespace {

constexpr std::size_t kHeadersMax = 256;
constexpr std::size_t kHeaderBytesMax = 16u << 10;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

// `location` as seen from `base`.
Result<std::string> resolve(const std::string& base, std::string_view location) {
  const Url url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, base.c_str(), 0) != CURLUE_OK ||
      curl_url_set(url.get(), CURLUPART_URL, std::string(location).c_str(), 0) != CURLUE_OK) {
    return invalid_argument("{}: redirects to '{}', which is not an address", base, location.substr(0, 200));
  }
  const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return invalid_argument("{}: redirects to a '{}' address, expected http or https", base, scheme);
  }
  if (scheme == "http" && base.starts_with("https:")) {
    return failed_precondition("{}: redirects from https to http, which is refused", base);
  }
  return part_of(url.get(), CURLUPART_URL);
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}
bool is_content(int status) {
  return status == 200 || status == 206;
}

// What may pass by itself: the network's and the server's troubles, not ours.
bool may_pass(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string_view HttpHop::header(std::string_view name) const {
  for (auto it = headers.rbegin(); it != headers.rend(); ++it) {
    if (it->first == name) return it->second;
  }
  return {};
}

std::string_view Transfer::first_header(std::string_view name) const {
  for (const HttpHop& hop : hops) {
    if (const std::string_view value = hop.header(name); !value.empty()) return value;
  }
  return {};
}

struct HttpGet::State {
  HttpSettings settings;
  CURL* curl = nullptr;
  char reason[CURL_ERROR_SIZE] = {};

  // Of the run in progress.
  Transfer transfer;
  const OnHead* on_head = nullptr;
  const OnBody* on_body = nullptr;
  bool begun = false;
  std::optional<Error> failed;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (curl != nullptr) curl_easy_cleanup(curl);
  }

  bool take(Result<void> result) {
    if (!result) failed = std::move(result).error();
    return !failed;
  }

  bool begin() {
    if (begun) return true;
    begun = true;
    return take((*on_head)(transfer));
  }

  static std::size_t header_line(char* data, std::size_t, std::size_t size, void* self) {
    auto& state = *static_cast<State*>(self);
    HttpHop& hop = state.transfer.hops.back();
    const std::string_view line(data, size);
    if (line.starts_with("HTTP/")) {
      hop.headers.clear();  // after an interim answer such as 100
      return size;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return size;
    if (hop.headers.size() >= kHeadersMax || size > kHeaderBytesMax) {
      state.take(resource_exhausted("{}: more than {} headers, or one over {} bytes", hop.url, kHeadersMax,
                                    kHeaderBytesMax));
      return 0;
    }
    hop.headers.emplace_back(lower(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
    return size;
  }

  static std::size_t body(char* data, std::size_t, std::size_t size, void* self) {
    auto& state = *static_cast<State*>(self);
    HttpHop& hop = state.transfer.hops.back();
    long status = 0;
    curl_easy_getinfo(state.curl, CURLINFO_RESPONSE_CODE, &status);
    hop.status = static_cast<int>(status);
    if (!is_content(hop.status)) return size;
    if (!state.begin() || !state.take((*state.on_body)(adit::as_bytes({data, size})))) return 0;
    return size;
  }

  void set_common(const HttpRequest& request) {
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "adit-miner");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings.connect_seconds));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings.idle_seconds));
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &State::header_line);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &State::body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    if (request.head_only) curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    if (!settings.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, settings.ca_file.c_str());
  }

  // libcurl reads every proxy variable but HTTP_PROXY in capitals, which a web server's CGI could forge. This
  // program is no CGI.
  void set_proxy(const std::string& url) {
    if (!url.starts_with("http:") || std::getenv("http_proxy") != nullptr)
      return;                                       // NOLINT(concurrency-mt-unsafe)
    const char* proxy = std::getenv("HTTP_PROXY");  // NOLINT(concurrency-mt-unsafe)
    if (proxy != nullptr && *proxy != '\0') curl_easy_setopt(curl, CURLOPT_PROXY, proxy);
  }

  Result<void> one_hop(const HttpRequest& request, const std::string& url) {
    transfer.hops.push_back({.url = url});
    set_common(request);
    set_proxy(url);
    ADIT_TRY(const std::string origin, origin_of(url));
    List headers;
    const auto add = [&headers](const std::string& line) {
      curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
      if (longer == nullptr) return;
      static_cast<void>(headers.release());
      headers.reset(longer);
    };
    for (const std::string& line : request.headers) add(line);
    if (!settings.token.empty() && origin == settings.token_origin) {
      add("Authorization: Bearer " + settings.token);
    }
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    reason[0] = '\0';
    const CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    transfer.hops.back().status = static_cast<int>(status);
    if (failed) return tl::unexpected<Error>(*failed);
    if (code == CURLE_OK) return {};
    const std::string text = reason[0] != '\0' ? reason : curl_easy_strerror(code);
    if (may_pass(code)) {
      transfer.broken = text;
      return {};
    }
    return make_error(
        code == CURLE_PEER_FAILED_VERIFICATION ? ErrorCode::kUnauthenticated : ErrorCode::kInvalidArgument,
        "{}: {}", origin, text);
  }
};

HttpGet::HttpGet(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpGet::HttpGet(HttpGet&&) noexcept = default;
HttpGet& HttpGet::operator=(HttpGet&&) noexcept = default;
HttpGet::~HttpGet() = default;

Result<HttpGet> HttpGet::make(HttpSettings settings) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto state = std::make_unique<State>();
  state->settings = std::move(settings);
  state->curl = curl_easy_init();
  if (started != CURLE_OK || state->curl == nullptr) return internal_error("libcurl does not start");
  return HttpGet(std::move(state));
}

Result<Transfer> HttpGet::run(const HttpRequest& request, const OnHead& on_head, const OnBody& on_body) {
  State& state = *state_;
  state.transfer = {};
  state.on_head = &on_head;
  state.on_body = &on_body;
  state.begun = false;
  state.failed.reset();
  std::string url = request.url;
  for (int hop = 0; hop <= kRedirectsMax; ++hop) {
    ADIT_TRY_VOID(state.one_hop(request, url));
    const HttpHop& last = state.transfer.hops.back();
    if (!state.transfer.broken && is_redirect(last.status)) {
      ADIT_TRY(url, resolve(url, last.header("location")));
      continue;
    }
    if (!state.transfer.broken && is_content(last.status) && !state.begin()) {
      return tl::unexpected<Error>(*state.failed);
    }
    return std::move(state.transfer);
  }
  return failed_precondition("{}: more than {} redirects", request.url, kRedirectsMax);
}

Result<std::string> origin_of(const std::string& url) {
  const Url parsed(curl_url());
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return invalid_argument("'{}' is not an address, expected http://… or https://…", url.substr(0, 200));
  }
  const std::string scheme = part_of(parsed.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return invalid_argument("'{}': expected http or https", url.substr(0, 200));
  }
  return fmt::format("{}://{}:{}", scheme, lower(part_of(parsed.get(), CURLUPART_HOST)),
                     part_of(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
}

bool is_loopback_origin(std::string_view origin) {
  return origin.starts_with("http://127.0.0.1:") || origin.starts_with("http://localhost:") ||
         origin.starts_with("http://[::1]:");
}

std::string url_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (byte < 0x80 && std::isalnum(byte) != 0) || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

}  // namespace adit::miner
