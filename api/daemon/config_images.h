// The section [images] of the configuration. Pure.
#pragma once

#include "api/daemon/config.h"
#include "api/daemon/config_section.h"

namespace stellwerk::daemon {

ImagesConfig read_images(Section section);

}  // namespace stellwerk::daemon
