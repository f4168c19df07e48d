// Internet addresses in the API's messages. Pure.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <optional>
#include <string>
#include <vector>

#include "api/convert/reading.h"
#include "core/ip.h"

namespace stellwerk::convert {

// Nothing, and a mistake in `field`, if the text is no address.
std::optional<IpAddress> read_address(RequestReader& reader, const std::string& field,
                                      const std::string& text);
// At most `most`; mistakes are named "field[1]".
std::vector<IpAddress> read_addresses(RequestReader& reader, const std::string& field,
                                      const google::protobuf::RepeatedPtrField<std::string>& wire,
                                      size_t most);

}  // namespace stellwerk::convert
