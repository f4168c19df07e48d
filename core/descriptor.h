// Owns one of the kernel's file descriptors. Not thread-safe.
#pragma once

#include <unistd.h>

#include <utility>

namespace stellwerk {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}  // negative: none, as calls that failed answer
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }

  int get() const { return value_; }
  bool is_open() const { return value_ >= 0; }
  // The caller closes it.
  int release() { return std::exchange(value_, -1); }
  // Closes what there is.
  void reset(int value = -1) {
    if (value_ >= 0) ::close(value_);
    value_ = value;
  }

 private:
  int value_ = -1;
};

}  // namespace stellwerk
