#include "tests/sim/record_history.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "orchestrator/records/keys.h"

namespace stellwerk::sim {
namespace {

// Decodes `entry` and hands it on, or notes that it cannot be read.
template <class Decode, class Keep>
void decode_into(const store::Entry& entry, Decode decode, RecordHistory::Change& change,
                 Keep keep) {
  auto decoded = decode(entry.value);
  if (decoded.ok()) {
    keep(*std::move(decoded));
  } else {
    change.problems.push_back(entry.key + " cannot be read back");
  }
}

}  // namespace

RecordHistory::Change RecordHistory::apply(const store::Head& head, const store::Batch& batch) {
  Change change;
  for (const store::Entry& entry : batch.puts) put(entry, head.sequence, change);
  for (const std::string& key : batch.deletes) erase(key, head.sequence, change);
  return change;
}

void RecordHistory::put(const store::Entry& entry, Sequence sequence, Change& change) {
  const auto is = [&](std::string_view prefix) { return entry.key.starts_with(prefix); };
  if (is(records::kInstancePrefix)) {
    decode_into(entry, records::decode_instance, change, [&](Instance instance) {
      versions_[instance.uid][sequence] = instance;
      instances_[instance.uid] = instance;
      change.written.push_back(std::move(instance));
    });
  } else if (is(records::kImagePrefix)) {
    decode_into(entry, records::decode_image, change,
                [&](Image image) { images_[image.uid] = std::move(image); });
  } else if (is(records::kHostPrefix)) {
    decode_into(entry, records::decode_host, change,
                [&](Host host) { hosts_[host.uid] = std::move(host); });
  } else if (is(records::kProjectPrefix)) {
    decode_into(entry, records::decode_project, change, [&](Project project) {
      const auto old = projects_.find(project.uid);
      if (old != projects_.end()) change.limits.push_back(old->second);
      projects_[project.uid] = std::move(project);
    });
  } else if (is(records::kRequestPrefix)) {
    decode_into(entry, records::decode_request, change, [&](records::RequestRecord request) {
      if (!requests_.emplace(request.request_id, request).second) {
        change.problems.push_back(
            fmt::format("request {} is decided twice", request.request_id.to_string()));
      }
      change.requests.push_back(std::move(request));
    });
  } else if (is(records::kLogPrefix)) {
    decode_into(entry, records::decode_log, change, [&](LogRecord log) {
      if (entry.key != records::log_key(sequence) || log.sequence != sequence) {
        change.problems.push_back("a log record of another sequence: " + entry.key);
      }
      change.log = std::move(log);
    });
  }
}

void RecordHistory::erase(const std::string& key, Sequence sequence, Change& change) {
  const std::string uid = key.substr(key.find('/') + 1);
  if (key.starts_with(records::kInstancePrefix)) {
    const auto found = instances_.find(InstanceUid::parse(uid).value_or(InstanceUid()));
    if (found == instances_.end()) return change.problems.push_back("erases unknown " + key);
    versions_[found->first][sequence] = std::nullopt;
    change.erased.push_back(std::move(found->second));
    instances_.erase(found);
  } else if (key.starts_with(records::kImagePrefix)) {
    images_.erase(ImageUid::parse(uid).value_or(ImageUid()));
  } else if (key.starts_with(records::kProjectPrefix)) {
    projects_.erase(ProjectUid::parse(uid).value_or(ProjectUid()));
  } else if (key.starts_with(records::kRequestPrefix)) {
    change.problems.push_back("an answer is forgotten within its 24 hours: " + key);
  }
}

const Instance* RecordHistory::instance_at(const InstanceUid& uid, Sequence sequence) const {
  const auto found = versions_.find(uid);
  if (found == versions_.end()) return nullptr;
  const auto after = found->second.upper_bound(sequence);
  if (after == found->second.begin()) return nullptr;
  const auto& version = std::prev(after)->second;
  return version ? &*version : nullptr;
}

const Instance* RecordHistory::previous_version(const InstanceUid& uid) const {
  const auto found = versions_.find(uid);
  if (found == versions_.end() || found->second.size() < 2) return nullptr;
  const auto& version = std::next(found->second.rbegin())->second;
  return version ? &*version : nullptr;
}

std::vector<InstanceUid> RecordHistory::instances_at(Sequence sequence, const HostUid& host) const {
  std::vector<InstanceUid> uids;
  for (const auto& [uid, versions] : versions_) {
    const Instance* instance = instance_at(uid, sequence);
    if (instance && instance->claim.host == host) uids.push_back(uid);
  }
  return uids;
}

}  // namespace stellwerk::sim
