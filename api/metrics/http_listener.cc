#include "api/metrics/http_listener.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <thread>

#include "api/server/listener.h"

namespace stellwerk::metrics {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;
using Response = http::response<http::string_body>;

constexpr uint32_t kLargestHeader = 8 << 10;

Response response_to(const http::request<http::empty_body>& request,
                     const HttpListener::Page& page) {
  Response response(http::status::ok, request.version());
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  const auto target = request.target();
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    response.result(http::status::method_not_allowed);
    response.set(http::field::allow, "GET, HEAD");
    response.body() = "only GET is answered here\n";
  } else if (target.substr(0, target.find('?')) != "/metrics") {
    response.result(http::status::not_found);
    response.body() = "the metrics are at /metrics\n";
  } else {
    response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    response.body() = page();
  }
  response.prepare_payload();
  if (request.method() == http::verb::head) response.body().clear();
  response.keep_alive(false);
  return response;
}

http::status status_of(const error_code& error) {
  if (error == http::error::header_limit) return http::status::request_header_fields_too_large;
  if (error == http::error::body_limit) return http::status::payload_too_large;
  return http::status::bad_request;
}

// One connection; it lives for as long as one of its operations does.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Socket socket, const HttpListener::Page& page, size_t& open)
      : socket_(std::move(socket)), deadline_(socket_.get_executor()), page_(page), open_(open) {
    ++open_;
    parser_.header_limit(kLargestHeader);
    parser_.body_limit(uint64_t{0});
  }
  ~Session() { --open_; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void serve(Duration patience) {
    deadline_.expires_after(patience);
    deadline_.async_wait([self = weak_from_this()](const error_code& error) {
      if (const auto session = self.lock(); session && !error) session->close();
    });
    http::async_read(
        socket_, buffer_, parser_,
        [self = shared_from_this()](const error_code& error, size_t) { self->answer(error); });
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  void answer(const error_code& error) {
    if (!error) {
      response_ = response_to(parser_.get(), page_);
    } else if (error.category() == http::make_error_code(http::error::bad_version).category() &&
               error != http::error::end_of_stream && error != http::error::partial_message) {
      response_ = Response(status_of(error), 11);
      response_.prepare_payload();
      response_.keep_alive(false);
    } else {
      return close();
    }
    http::async_write(socket_, response_,
                      [self = shared_from_this()](const error_code&, size_t) { self->end(); });
  }

  void end() {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
    close();
    deadline_.cancel();
  }

  Socket socket_;
  asio::steady_timer deadline_;
  const HttpListener::Page& page_;
  size_t& open_;
  boost::beast::flat_buffer buffer_{kLargestHeader * 2};
  http::request_parser<http::empty_body> parser_;
  Response response_;
};

absl::Status cannot_listen(const Place& place, std::string_view why) {
  return failed_precondition("metrics.listen: cannot listen on {} port {}: {}", place.address,
                             place.port, why);
}

}  // namespace

struct HttpListener::Body {
  Page page;
  HttpLimits limits;
  size_t open = 0;  // touched by the thread alone
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  asio::ip::tcp::acceptor acceptor{io};
  std::unique_ptr<server::Listener> unix_listener;
  std::thread thread;

  absl::Status listen(const Place& place);
  void accept();
  void welcome(Socket socket);
};

absl::Status HttpListener::Body::listen(const Place& place) {
  if (!place.unix_path.empty()) {
    auto listener = server::Listener::open({.path = place.unix_path, .group = place.group});
    if (!listener.ok()) return annotate(listener.status(), "metrics.listen");
    unix_listener = *std::move(listener);
    return absl::OkStatus();
  }
  error_code error;
  const auto address = asio::ip::make_address(place.address, error);
  if (error || !address.is_loopback()) return cannot_listen(place, "it is no loopback address");
  const asio::ip::tcp::endpoint endpoint(address, place.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return cannot_listen(place, error.message());
  accept();
  return absl::OkStatus();
}

void HttpListener::Body::accept() {
  acceptor.async_accept([this](const error_code& error, asio::ip::tcp::socket socket) {
    if (!acceptor.is_open()) return;
    if (!error) welcome(Socket(std::move(socket)));
    if (error == asio::error::no_descriptors || error == asio::error::no_memory) {
      // A moment without a listener's thread spinning: the next scrape is a connection anyway.
      auto pause = std::make_shared<asio::steady_timer>(io, std::chrono::seconds(1));
      return pause->async_wait([this, pause](const error_code& ended) {
        if (!ended) accept();
      });
    }
    accept();
  });
}

void HttpListener::Body::welcome(Socket socket) {
  if (open >= limits.connections) return;  // its destructor closes it
  std::make_shared<Session>(std::move(socket), page, open)->serve(limits.patience);
}

absl::StatusOr<std::unique_ptr<HttpListener>> HttpListener::open(const Place& place, Page page,
                                                                 HttpLimits limits) {
  auto body = std::make_unique<Body>();
  body->page = std::move(page);
  body->limits = limits;
  SW_RETURN_IF_ERROR(body->listen(place));
  body->thread = std::thread([&io = body->io] { io.run(); });
  if (body->unix_listener) {
    Body* const at = body.get();
    at->unix_listener->accept_with([at](Descriptor connection) {
      // Shared, because what is posted has to be copyable.
      auto shared = std::make_shared<Descriptor>(std::move(connection));
      asio::post(at->io, [at, shared] {
        error_code error;
        Socket socket(at->io);
        const int descriptor = shared->release();
        socket.assign(asio::generic::stream_protocol(AF_UNIX, 0), descriptor, error);
        if (!error) at->welcome(std::move(socket));
      });
    });
  }
  return std::unique_ptr<HttpListener>(new HttpListener(std::move(body)));
}

HttpListener::HttpListener(std::unique_ptr<Body> body) : body_(std::move(body)) {}

HttpListener::~HttpListener() {
  if (body_->unix_listener) body_->unix_listener->close();
  body_->io.stop();
  if (body_->thread.joinable()) body_->thread.join();
}

}  // namespace stellwerk::metrics
