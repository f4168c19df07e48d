// The section [network] of the configuration. Pure.
#pragma once

#include "api/daemon/config.h"
#include "api/daemon/config_section.h"

namespace stellwerk::daemon {

NetworkConfig read_network(Section section);

}  // namespace stellwerk::daemon
