// The listening Unix socket: makes it, accepts on a thread of its own, removes it. gRPC could
// listen itself, but would not tell who connects.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "core/descriptor.h"
#include "core/status.h"

namespace stellwerk::server {

struct ListenerConfig {
  std::string path;
  std::optional<gid_t> group;  // of the socket; its mode is 0660
};

class Listener {
 public:
  // Binds and listens. A socket that a dead daemon left is replaced, but only after a connection
  // to it was refused; anything else at the path is left alone. FailedPrecondition if somebody
  // listens there.
  static absl::StatusOr<std::unique_ptr<Listener>> open(const ListenerConfig& config);
  // close().
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Calls `accepted` from the listener's thread with each connection, non-blocking and
  // close-on-exec.
  void accept_with(std::function<void(Descriptor)> accepted);
  // Stops accepting and removes the socket if the one at the path is still this one.
  void close();

 private:
  Listener(std::string path, Descriptor socket, Descriptor wake);
  void run(const std::function<void(Descriptor)>& accepted);
  bool wait(int milliseconds, bool for_connections);

  std::string path_;
  ino_t inode_ = 0;  // of the path, not of the descriptor
  dev_t device_ = 0;
  Descriptor socket_;
  Descriptor wake_;  // an eventfd: readable once the thread is to end
  std::thread thread_;
};

}  // namespace stellwerk::server
