#include "core/ids.h"

#include <uuid/uuid.h>

#include <cstring>

namespace stellwerk {

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != UUID_STR_LEN - 1) return std::nullopt;
  std::array<uint8_t, 16> bytes;
  if (uuid_parse_range(text.data(), text.data() + text.size(), bytes.data()) != 0) {
    return std::nullopt;
  }
  return Uuid(bytes);
}

Uuid Uuid::v5(const Uuid& name_space, std::string_view name) {
  std::array<uint8_t, 16> bytes;
  uuid_generate_sha1(bytes.data(), name_space.bytes_.data(), name.data(), name.size());
  return Uuid(bytes);
}

std::string Uuid::to_string() const {
  char text[UUID_STR_LEN];
  uuid_unparse_lower(bytes_.data(), text);
  return text;
}

}  // namespace stellwerk
