// One thing that a client may ask for.
#pragma once

#include <string>

#include "orchestrator/controller/requests.h"

namespace stellwerk::sim {

struct Operation {
  controller::MutationBody body;
  std::string text;  // for the log and as the request's content
};

}  // namespace stellwerk::sim
