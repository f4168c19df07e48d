// SHA-256 (FIPS 180-4), by OpenSSL: for image checks and for telling request bodies apart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace stellwerk {

using Sha256 = std::array<uint8_t, 32>;

Sha256 sha256(std::string_view bytes);
std::string to_hex(const Sha256& digest);

// One digest over many pieces. One thread at a time; `finish` once.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;

  void update(std::string_view bytes);
  Sha256 finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace stellwerk
