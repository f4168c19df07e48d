#include "orchestrator/agent/adoption.h"

#include <absl/strings/escaping.h>

#include "core/status.h"
#include "orchestrator/records/records.h"

namespace stellwerk::agent {

std::string adoption_of(const Instance& instance) {
  return absl::Base64Escape(to_absl(records::encode(instance)));
}

std::optional<Instance> adopted(const hypervisor::Ownership& owner) {
  std::string bytes;
  if (!absl::Base64Unescape(to_absl(owner.adoption), &bytes)) return std::nullopt;
  auto instance = records::decode_instance(bytes);
  if (!instance.ok() || instance->uid != owner.instance) return std::nullopt;
  return *std::move(instance);
}

}  // namespace stellwerk::agent
