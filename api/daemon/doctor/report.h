// What `stellwerkd doctor` prints: JSON for `stellwerk doctor`, which shows it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/daemon/doctor/checks.h"

namespace stellwerk::daemon::doctor {

// {"version":"…","accel":"auto","socket":"/…",
//  "findings":[{"check":…,"verdict":…,"what":…,"todo":…}]}
std::string report(std::string_view version, const Config& config, const Findings& findings);

// Of a configuration that has mistakes: nothing else can be checked.
std::string report_of_mistakes(std::string_view version, const absl::Status& mistakes,
                               const std::string& path);

}  // namespace stellwerk::daemon::doctor
