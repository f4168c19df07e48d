// proto3's JSON, as protobuf prints it, with every plain field present. Pure.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace stellwerk::cli {

enum class JsonLayout { kOneLine, kIndented };

// Nothing in the result steers a terminal: what JSON itself does not escape is escaped here.
std::string to_json(const google::protobuf::Message& message, JsonLayout layout);

}  // namespace stellwerk::cli
