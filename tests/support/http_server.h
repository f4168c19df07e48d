// A web server on loopback that says exactly what a test wants, byte by byte: for clients of bad
// servers. One thread; each connection gets the script of its place in the list.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace stellwerk::testing {

class HttpServer {
 public:
  // Writes to the connection; false once the peer or the server has gone.
  using Send = std::function<bool(std::string_view bytes)>;
  using Script = std::function<void(const std::string& request, const Send& send)>;

  explicit HttpServer(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, plain, size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, plain, &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    ending_ = true;
    thread_.join();
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url(std::string_view path = "/image") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  int port() const { return port_; }
  // The heads of all requests so far.
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!ending_) {
      pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      const std::string request = read_head(connection);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      script_(request,
              [this, connection](std::string_view bytes) { return send_all(connection, bytes); });
      ::close(connection);
    }
  }

  std::string read_head(int connection) const {
    std::string head;
    char buffer[4096];
    while (!ending_ && head.find("\r\n\r\n") == std::string::npos) {
      pollfd waiting{.fd = connection, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const ssize_t count = ::recv(connection, buffer, sizeof buffer, 0);
      if (count <= 0) break;
      head.append(buffer, static_cast<size_t>(count));
    }
    return head;
  }

  bool send_all(int connection, std::string_view bytes) const {
    while (!bytes.empty() && !ending_) {
      pollfd waiting{.fd = connection, .events = POLLOUT, .revents = 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const ssize_t count = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    // A peer that has closed its side wants no more.
    pollfd gone{.fd = connection, .events = POLLRDHUP, .revents = 0};
    if (::poll(&gone, 1, 0) > 0 && (gone.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
      return false;
    }
    return !ending_;
  }

  const Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ending_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

// "HTTP/1.1 200 OK", the headers, a blank line.
inline std::string http_head(std::string_view status, const std::vector<std::string>& headers) {
  std::string head = "HTTP/1.1 " + std::string(status) + "\r\n";
  for (const std::string& header : headers) head += header + "\r\n";
  return head + "\r\n";
}

}  // namespace stellwerk::testing
