// The API on a Unix socket: gRPC services over a Gateway, reflection and health. There is no TCP
// listener. Callers are known by the credentials that the kernel holds of their socket: root and
// the operator group may do everything; all others are told what would let them in.
//
// Every request, stream and wait has a limit. A call that is cancelled, or whose answer comes after
// the caller has gone, touches nothing that is no longer there: streams live until gRPC has done
// with them and every callback holds its stream. Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "api/server/call_observer.h"
#include "api/server/console_gateway.h"
#include "api/server/gateway.h"
#include "core/status.h"
#include "core/time.h"

namespace stellwerk::server {

struct ServerLimits {
  size_t connections = 1024;
  int calls_per_connection = 256;
  size_t watchers = 256;
  size_t imports = 8;
  size_t consoles = 256;
  Duration import_idle = std::chrono::seconds(60);        // without a byte from the client
  Duration watch_heartbeat = std::chrono::seconds(10);    // at the latest, the token moves
  Duration watch_patience = std::chrono::seconds(60);     // with a client that does not read
  Duration console_greeting = std::chrono::seconds(10);   // until an attachment says to what
  Duration console_patience = std::chrono::seconds(300);  // with a client that does not read
  Duration console_quiet = std::chrono::seconds(1);       // of a guest after a writer's last word
  Duration tick = std::chrono::seconds(1);                // how exact all these are
};

struct ServerConfig {
  std::string socket;          // path, at most 107 bytes; its folder exists
  std::string operator_group;  // empty: root only; so does one that does not exist, with a warning
  ServerLimits limits;
  CallObserver on_call;  // may be empty
};

class Server {
 public:
  // Serves when it returns. FailedPrecondition if a living daemon listens on the socket already.
  // The gateways outlive the server, and answer until shutdown has returned.
  static absl::StatusOr<std::unique_ptr<Server>> start(ServerConfig config, Gateway& gateway,
                                                       ConsoleGateway& consoles);
  // shutdown(0), if that has not happened.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Removes the socket, ends streams with UNAVAILABLE, gives other calls until `patience` has
  // passed and cancels what is left then. Returns when no call is left.
  void shutdown(Duration patience);

 private:
  class Body;
  explicit Server(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace stellwerk::server
