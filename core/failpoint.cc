#include "core/failpoint.h"

#include <utility>

namespace stellwerk {
namespace {

FailpointHook& hook_slot() {
  static FailpointHook hook;
  return hook;
}

}  // namespace

void set_failpoint_hook(FailpointHook hook) {
  hook_slot() = std::move(hook);
}

void failpoint(std::string_view name) {
  if (const FailpointHook& hook = hook_slot()) hook(name);
}

}  // namespace stellwerk
