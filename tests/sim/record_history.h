// What the durable store has said of every instance, sequence by sequence: decoded from each commit
// by the simulator itself, so that it can be held against what controller and agent do.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/event.h"
#include "drivers/store/store.h"
#include "orchestrator/records/records.h"

namespace stellwerk::sim {

class RecordHistory {
 public:
  // What one commit did, decoded.
  struct Change {
    std::vector<Instance> written;
    std::vector<Instance> erased;  // as they were before
    std::vector<records::RequestRecord> requests;
    std::vector<Project> limits;  // of the projects that it changed, as they were before
    std::optional<LogRecord> log;
    std::vector<std::string> problems;  // what could not be read or should not be there
  };
  Change apply(const store::Head& head, const store::Batch& batch);

  const std::map<InstanceUid, Instance>& instances() const { return instances_; }
  const std::map<ImageUid, Image>& images() const { return images_; }
  const std::map<HostUid, Host>& hosts() const { return hosts_; }
  const std::map<ProjectUid, Project>& projects() const { return projects_; }
  const std::map<RequestId, records::RequestRecord>& requests() const { return requests_; }
  // As of `sequence`; null if it was not there. Also what is gone by now.
  const Instance* instance_at(const InstanceUid& uid, Sequence sequence) const;
  // The version before the newest.
  const Instance* previous_version(const InstanceUid& uid) const;
  size_t count_versions(const InstanceUid& uid) const { return versions_.at(uid).size(); }
  std::vector<InstanceUid> instances_at(Sequence sequence, const HostUid& host) const;

 private:
  void put(const store::Entry& entry, Sequence sequence, Change& change);
  void erase(const std::string& key, Sequence sequence, Change& change);

  std::map<InstanceUid, Instance> instances_;
  std::map<InstanceUid, std::map<Sequence, std::optional<Instance>>> versions_;
  std::map<ImageUid, Image> images_;
  std::map<HostUid, Host> hosts_;
  std::map<ProjectUid, Project> projects_;
  std::map<RequestId, records::RequestRecord> requests_;
};

}  // namespace stellwerk::sim
