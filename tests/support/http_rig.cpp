// SPDX-License-Identifier: MIT
#include "tests/support/http_rig.hpp"

#include <cctype>
#include <sstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace adit::test {
namespace {

constexpr std::size_t kRequestBytesMax = 64u << 10;

// A connection, plain or TLS.
class Stream {
 public:
  Stream(int fd, SSL_CTX* tls) : fd_(fd) {
    timeval wait{.tv_sec = 5, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (tls == nullptr) return;
    ssl_ = SSL_new(tls);
    SSL_set_fd(ssl_, fd_);
    open_ = SSL_accept(ssl_) == 1;
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (ssl_ != nullptr) {
      if (open_) SSL_shutdown(ssl_);
      SSL_free(ssl_);
    }
    ::close(fd_);
  }
  [[nodiscard]] bool is_open() const { return open_; }
  long read(char* to, std::size_t size) {
    return ssl_ != nullptr ? SSL_read(ssl_, to, static_cast<int>(size)) : ::recv(fd_, to, size, 0);
  }
  bool write(std::string_view text) {
    while (!text.empty()) {
      const long wrote = ssl_ != nullptr ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                                         : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (wrote <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
  }

 private:
  int fd_;
  SSL* ssl_ = nullptr;
  bool open_ = true;
};

std::optional<HttpExchange> read_request(Stream& stream) {
  std::string text;
  char chunk[4096];
  while (text.find("\r\n\r\n") == std::string::npos) {
    const long got = stream.read(chunk, sizeof chunk);
    if (got <= 0 || text.size() > kRequestBytesMax) return std::nullopt;
    text.append(chunk, static_cast<std::size_t>(got));
  }
  std::istringstream lines(text);
  HttpExchange exchange;
  lines >> exchange.method >> exchange.target;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line) && line != "\r") {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::string value = line.substr(colon + 1);
    while (!value.empty() && (value.back() == '\r' || value.back() == ' ')) value.pop_back();
    while (!value.empty() && value.front() == ' ') value.erase(0, 1);
    exchange.headers[name] = value;
  }
  return exchange;
}

SSL_CTX* tls_context(const TlsCertificate& certificate) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  const std::unique_ptr<BIO, decltype(&BIO_free)> cert_bio(
      BIO_new_mem_buf(certificate.certificate_pem.data(),
                      static_cast<int>(certificate.certificate_pem.size())),
      BIO_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> key_bio(
      BIO_new_mem_buf(certificate.key_pem.data(), static_cast<int>(certificate.key_pem.size())), BIO_free);
  X509* x509 = PEM_read_bio_X509(cert_bio.get(), nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr);
  const bool fine = SSL_CTX_use_certificate(context, x509) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1;
  X509_free(x509);
  EVP_PKEY_free(key);
  if (!fine) throw std::runtime_error("OpenSSL refused the certificate");
  return context;
}

}  // namespace

HttpRig::HttpRig(Handler handler, const std::optional<TlsCertificate>& tls) : handler_(std::move(handler)) {
  if (tls) tls_ = tls_context(*tls);
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, generic, &size) != 0 || ::pipe(stop_) != 0) {
    throw std::runtime_error("cannot listen on loopback");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

HttpRig::~HttpRig() {
  ::close(stop_[1]);
  thread_.join();
  ::close(stop_[0]);
  ::close(listener_);
  if (tls_ != nullptr) SSL_CTX_free(tls_);
}

std::string HttpRig::url() const {
  return (tls_ != nullptr ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_);
}

std::vector<HttpExchange> HttpRig::seen() const {
  const std::lock_guard<std::mutex> guard(mutex_);
  return seen_;
}

void HttpRig::serve() {
  for (;;) {
    pollfd waits[2] = {{.fd = listener_, .events = POLLIN, .revents = 0},
                       {.fd = stop_[0], .events = POLLIN, .revents = 0}};
    if (::poll(waits, 2, -1) < 0) continue;
    if (waits[1].revents != 0) return;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) answer(fd);
  }
}

void HttpRig::answer(int fd) {
  Stream stream(fd, tls_);
  if (!stream.is_open()) return;
  const auto request = read_request(stream);
  if (!request) return;
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    seen_.push_back(*request);
  }
  const HttpAnswer answer = handler_(*request);
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " Told\r\nConnection: close\r\n";
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  if (answer.send_length) head += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  if (!stream.write(head + "\r\n") || request->method == "HEAD") return;
  const std::string_view body(answer.body);
  stream.write(body.substr(0, answer.cut_after.value_or(body.size())));
}

}  // namespace adit::test
