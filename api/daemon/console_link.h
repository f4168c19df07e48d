// One open console on the thread of an io_context: reads whatever comes, at once and for ever, and
// writes what it is given as the guest takes it. All calls but the constructor happen on that
// thread. Owns itself while it reads.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "drivers/hypervisor/consoles.h"

namespace stellwerk::daemon {

class ConsoleLink : public std::enable_shared_from_this<ConsoleLink> {
 public:
  struct Callbacks {
    std::function<void(std::string_view)> heard;
    // What is to be written now, and how much of it was.
    std::function<std::string()> pending;
    std::function<void(size_t)> written;
    // The last one.
    std::function<void(const ConsoleLink*)> ended;
  };

  ConsoleLink(boost::asio::io_context& io, Descriptor console, Callbacks callbacks);

  void start();
  // There is something to write.
  void flush();
  void close();

  // Any thread: whether the guest's end is still open.
  static bool is_alive(int descriptor);
  int descriptor() const { return descriptor_; }

 private:
  void read();
  void end();

  const int descriptor_;
  boost::asio::posix::stream_descriptor console_;
  Callbacks callbacks_;
  bool writing_ = false;
  bool ended_ = false;
};

}  // namespace stellwerk::daemon
