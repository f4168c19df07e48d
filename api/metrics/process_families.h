// This process as the kernel shows it, under the names that all Prometheus clients use.
#pragma once

#include <string>

#include "api/metrics/families.h"

namespace stellwerk::metrics {

// `proc` is /proc, or a picture of it. What cannot be read is left out.
Families process_families(const std::string& proc = "/proc");

}  // namespace stellwerk::metrics
