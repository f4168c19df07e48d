// Bytes from the wire to a message. A text that is not UTF-8 makes protobuf refuse the whole
// message without saying where; here the caller learns which field it was.
#pragma once

#include <google/protobuf/message.h>

#include <string_view>

#include "core/status.h"

namespace stellwerk::convert {

// InvalidArgument: with the fields that are not UTF-8 as violations, or with reason
// MALFORMED_REQUEST if the bytes are no such message at all.
absl::Status parse_message(std::string_view bytes, google::protobuf::Message* message);

}  // namespace stellwerk::convert
