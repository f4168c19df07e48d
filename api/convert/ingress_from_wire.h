// Ingress rules of instances, in every message that holds some. Pure.
#pragma once

#include "api/convert/reading.h"
#include "stellwerk/v1/instances.pb.h"

namespace stellwerk::convert {

// Mistakes are named below `field`.
std::vector<IngressRule> read_ingress(
    RequestReader& reader, std::string_view field,
    const google::protobuf::RepeatedPtrField<v1::IngressRule>& wire);

}  // namespace stellwerk::convert
