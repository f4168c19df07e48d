// Named places at which a test may stop the process or one of its threads: before and after every
// commit and every driver step, and at every step of a control loop. In the shipped daemon the hook
// is empty and a failpoint is one predictable branch; only test programs install one, before any
// thread starts.
#pragma once

#include <functional>
#include <string_view>

namespace stellwerk {

using FailpointHook = std::function<void(std::string_view name)>;

// Not thread-safe: call once, before threads exist. An empty hook switches failpoints off.
void set_failpoint_hook(FailpointHook hook);

// `name` is dotted: component, step, moment: "store.commit.before".
void failpoint(std::string_view name);

}  // namespace stellwerk
