// Parts that several translations to the wire share. Used by the translations of this folder.
#pragma once

#include <google/protobuf/map.h>
#include <google/protobuf/timestamp.pb.h>

#include <map>
#include <string>

#include "core/time.h"
#include "orchestrator/controller/requests.h"
#include "stellwerk/v1/instances.pb.h"

namespace stellwerk::convert {

inline void set_time(WallTime time, google::protobuf::Timestamp* wire) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  wire->set_seconds(seconds.time_since_epoch().count());
  wire->set_nanos(static_cast<int32_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time - seconds).count()));
}

inline void set_map(const std::map<std::string, std::string>& pairs,
                    google::protobuf::Map<std::string, std::string>* wire) {
  for (const auto& [key, value] : pairs) (*wire)[key] = value;
}

// Its group, its wishes and its backup.
void set_placing(const controller::InstanceView& view, v1::Instance* wire);

}  // namespace stellwerk::convert
