// What happened to an instance, in words.
#include <map>

#include "api/cli/format.h"
#include "api/cli/instance_view.h"

namespace stellwerk::cli {
namespace {

// Types that this program does not know are shown as they are.
std::string what_happened(const std::string& type) {
  static const std::map<std::string, std::string> kWords = {
      {"InstanceCreated", "booked"},
      {"InstanceStartRequested", "start asked for"},
      {"InstanceStopRequested", "stop asked for"},
      {"InstanceRebootRequested", "reboot asked for"},
      {"InstanceResetRequested", "reset asked for"},
      {"InstanceUpdated", "changed"},
      {"InstanceRenamed", "renamed"},
      {"InstanceResized", "resized"},
      {"InstanceDeleteRequested", "deletion asked for"},
      {"InstanceEnded", "ended"},
      {"FailoverProtectionLost", "failover protection lost"},
      {"FailoverProtectionRestored", "failover protected again"},
      {"PhaseChanged", ""},
  };
  const auto found = kWords.find(type);
  return found == kWords.end() ? type : found->second;
}

std::string line_of(const v1::Instance::TimelineEntry& entry) {
  std::string text = what_happened(entry.type());
  if (!entry.message().empty()) text += (text.empty() ? "" : ": ") + entry.message();
  if (!entry.caller().empty()) text += " (by " + entry.caller() + ")";
  return text;
}

}  // namespace

void print_timeline(const Context& context, const v1::Instance& instance) {
  if (instance.timeline().empty()) return;
  context.out() << "Timeline:\n";
  for (const v1::Instance::TimelineEntry& entry : instance.timeline()) {
    const std::string line =
        fmt::format("  {}  {}", to_rfc3339(wall_time(entry.time())), line_of(entry));
    context.out() << Cell(line).text() << '\n';
  }
}

}  // namespace stellwerk::cli
