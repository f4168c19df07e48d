// An API's shape as text that people can review: one line for each message, field, enum, value,
// service and method, with everything that a client on the wire or in JSON depends on. Two
// outlines tell whether clients of the older one still work.
#pragma once

#include <google/protobuf/descriptor.pb.h>

#include <string>
#include <vector>

namespace stellwerk::api_contract {

using Outline = std::vector<std::string>;

// Of the files of package `package` in the set, which must hold all that they import. Aborts the
// test program if the set does not hold together.
Outline outline_of(const google::protobuf::FileDescriptorSet& files, const std::string& package);

struct Changes {
  std::vector<std::string> breaking;   // what went or turned into something else, and into what
  std::vector<std::string> additions;  // lines that the older outline does not have
};
Changes compare(const Outline& older, const Outline& newer);

}  // namespace stellwerk::api_contract
