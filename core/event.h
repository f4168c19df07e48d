// What happened, for people and programs (events), and who did it (audit). Both are written in
// the log record of the commit that decided them.
#pragma once

#include <string>
#include <vector>

#include "core/model.h"

namespace stellwerk {

struct Event {
  WallTime time;
  std::string type;        // UpperCamelCase, stable: "InstanceCreated", "PhaseChanged"
  std::string project_id;  // empty for what belongs to no project
  std::string resource;    // full name: "projects/default/instances/web-1"
  Uuid uid;
  std::string reason;   // UpperCamelCase, stable; may be empty
  std::string message;  // for people; never holds user-data
  std::string caller;   // who asked for it; empty: nobody did
  friend bool operator==(const Event&, const Event&) = default;
};

struct AuditEntry {
  WallTime time;
  std::string caller;  // "root", "uid 1000"
  std::string method;  // "CreateInstance"
  std::string resource;
  RequestId request_id;
  std::string outcome;  // gRPC's code name: "OK", "RESOURCE_EXHAUSTED"
  std::string message;
  friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

// Everything that one commit has to tell; kept under the commit's own sequence.
struct LogRecord {
  Sequence sequence;
  std::vector<Event> events;
  std::vector<AuditEntry> audit;
  friend bool operator==(const LogRecord&, const LogRecord&) = default;
};

}  // namespace stellwerk
