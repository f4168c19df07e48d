// Which fields an update means (aip.dev/134). Used by the translations of this folder.
#pragma once

#include <google/protobuf/field_mask.pb.h>

#include <set>
#include <string>
#include <vector>

#include "api/convert/reading.h"

namespace stellwerk::convert {

struct Changeable {
  std::string path;
  bool is_set = false;  // in the request's resource: meant when there is no mask
};

// The paths that are meant. Each of the mask's that is none of `fields` is a mistake of the field
// "update_mask", and so is an update that means nothing at all.
std::set<std::string> read_mask(RequestReader& reader, const google::protobuf::FieldMask& mask,
                                const std::vector<Changeable>& fields);

}  // namespace stellwerk::convert
