// How instances are shown.
#pragma once

#include "api/cli/print.h"
#include "stellwerk/v1/instances.pb.h"

namespace stellwerk::cli {

Columns<v1::Instance> instance_columns(const Context& context);
// What happened to it, newest last; nothing if the answer has no timeline.
void print_timeline(const Context& context, const v1::Instance& instance);
KeyValues instance_details(const v1::Instance& instance, WallTime now);

}  // namespace stellwerk::cli
