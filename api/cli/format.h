// Values as people read them. Pure. Everything goes through a Cell before it is shown, so nothing
// here needs to escape.
#pragma once

#include <google/protobuf/map.h>
#include <google/protobuf/repeated_field.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>
#include <string_view>

#include "api/cli/table.h"
#include "core/time.h"
#include "stellwerk/v1/flavors.pb.h"
#include "stellwerk/v1/hosts.pb.h"
#include "stellwerk/v1/images.pb.h"
#include "stellwerk/v1/instances.pb.h"

namespace stellwerk::cli {

// "web-1" of "projects/default/instances/web-1".
std::string id_of(std::string_view name);
// "default" of "projects/default/instances/web-1"; empty when the name has no project.
std::string project_of(std::string_view name);
// A full name ("projects/p/instances/x") is taken as it is; an id gets `prefix` before it.
std::string full_name(std::string_view prefix, std::string_view id_or_name);

WallTime wall_time(const google::protobuf::Timestamp& time);
// "3 min"; empty when the time is not set.
std::string age(const google::protobuf::Timestamp& time, WallTime now);
// "2026-11-23T04:50:50Z (3 min ago)"; empty when the time is not set.
std::string time_and_age(const google::protobuf::Timestamp& time, WallTime now);

// "1.5 GiB"; empty for zero, which the API uses for "not known" and "not asked".
std::string bytes_text(int64_t bytes);
std::string labels_text(const google::protobuf::Map<std::string, std::string>& labels);
// "0-3,8", in whatever order they come.
std::string cpus_text(const google::protobuf::RepeatedField<int32_t>& cpus);

// "RUNNING"; values that this program does not know as numbers.
std::string phase_name(v1::Instance::Phase phase);
Cell phase_cell(v1::Instance::Phase phase);
Cell state_cell(v1::Image::State state);
Cell state_cell(v1::Host::State state);
std::string class_name(v1::Flavor::CpuClass value);  // "dedicated-core"
std::string disks_text(const v1::Flavor& flavor);    // "2 x 20 GB ssd"

}  // namespace stellwerk::cli
