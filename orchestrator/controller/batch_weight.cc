#include "orchestrator/controller/batch_weight.h"

#include <fmt/format.h>

#include <algorithm>

namespace stellwerk::controller {
namespace {

constexpr size_t kPerKey = 96;       // a key and what surrounds its value
constexpr size_t kPerRecord = 2048;  // an instance without what can be long in it
constexpr size_t kPerPort = 256;     // two addresses, a MAC, a uid
constexpr size_t kPerNetwork = 20 * 1024;
constexpr size_t kPerCpu = 3;       // the number of a hardware thread
constexpr size_t kMostThreads = 8;  // of one core
constexpr size_t kPerBooked = 96;   // uid and id
constexpr size_t kPerEvent = 640;
constexpr size_t kOfRequest = 8192;  // its own record, the cell's, its audit entry

size_t bytes_of(const Labels& labels) {
  size_t bytes = 0;
  for (const auto& [key, value] : labels) bytes += key.size() + value.size() + 8;
  return bytes;
}

size_t bytes_of(const std::vector<LabelMatch>& matches) {
  size_t bytes = 0;
  for (const LabelMatch& match : matches) {
    bytes += match.key.size() + match.value.value_or("").size() + 8;
  }
  return bytes;
}

// What one of them puts: its record, its user-data, and its part of the answer that is kept.
size_t bytes_of_one(const CreateInstance& create, const Ledger& ledger) {
  size_t bytes = kPerRecord + 2 * kPerKey + kPerBooked;
  for (const std::string& key : create.ssh_keys) bytes += key.size() + 8;
  bytes += create.user_data.size() + bytes_of(create.labels);
  bytes += bytes_of(create.wishes.required_labels) + bytes_of(create.wishes.forbidden_labels);
  bytes += create.ports.size() * kPerPort + create.ingress.size() * 64;
  const Flavor* flavor = ledger.flavor(create.flavor);
  if (flavor && (flavor->cpu_class == CpuClass::kDedicatedThread ||
                 flavor->cpu_class == CpuClass::kDedicatedCore)) {
    bytes += static_cast<size_t>(flavor->vcpus.count()) * kPerCpu * kMostThreads;
  }
  return bytes;
}

Weight weight_of_many(const CreateInstances& create, const Ledger& ledger) {
  const auto count = static_cast<size_t>(std::clamp<int64_t>(create.count, 1, kMostBooked));
  const Weight usual;
  return {.keys = std::max(usual.keys, 2 * count + create.ports.size() + 2),
          .bytes = std::max(usual.bytes, count * bytes_of_one(create, ledger) +
                                             create.ports.size() * kPerNetwork + kOfRequest),
          .log = count * kPerEvent};
}

}  // namespace

Weight weight_of(const MutationBody& body, const Ledger& ledger) {
  const auto* many = std::get_if<CreateInstances>(&body);
  return many ? weight_of_many(*many, ledger) : Weight();
}

std::optional<std::string> check_weight(const CreateInstances& create, const Ledger& ledger) {
  if (Ledger::fits_any_batch(weight_of_many(create, ledger))) return std::nullopt;
  CreateInstances fewer = create;
  while (fewer.count > 1 && !Ledger::fits_any_batch(weight_of_many(fewer, ledger))) --fewer.count;
  const auto each = Bytes(static_cast<int64_t>(bytes_of_one(create, ledger)));
  return fmt::format(
      "{} instances of {} each, user-data and keys included, are more than one commit holds; ask "
      "for at most {} at once, or give them less user-data",
      create.count, to_string(each), fewer.count);
}

}  // namespace stellwerk::controller
