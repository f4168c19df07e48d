#include "api/convert/addresses_from_wire.h"

#include "core/validate.h"

namespace stellwerk::convert {

std::optional<IpAddress> read_address(RequestReader& reader, const std::string& field,
                                      const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address) {
    reader.add(field, quoted(text) + " is no address; write one such as 10.8.0.1 or fd00:8::1");
  }
  return address;
}

std::vector<IpAddress> read_addresses(RequestReader& reader, const std::string& field,
                                      const google::protobuf::RepeatedPtrField<std::string>& wire,
                                      size_t most) {
  std::vector<IpAddress> addresses;
  if (static_cast<size_t>(wire.size()) > most) {
    reader.add(field, fmt::format("has {}; give at most {}", wire.size(), most));
    return addresses;
  }
  for (int i = 0; i < wire.size(); ++i) {
    const auto address = read_address(reader, fmt::format("{}[{}]", field, i), wire[i]);
    if (address) addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace stellwerk::convert
