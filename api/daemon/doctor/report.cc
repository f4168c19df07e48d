#include "api/daemon/doctor/report.h"

#include <nlohmann/json.hpp>

namespace stellwerk::daemon::doctor {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(std::string_view version, std::string_view accel, const Findings& findings) {
  Json json = {{"version", version}, {"accel", accel}, {"findings", Json::array()}};
  for (const Finding& finding : findings) {
    json["findings"].push_back({{"check", finding.check},
                                {"verdict", to_string(finding.verdict)},
                                {"what", finding.what},
                                {"todo", finding.todo}});
  }
  return json.dump(1, ' ', true, Json::error_handler_t::replace);
}

std::string_view name_of(hypervisor::AcceleratorMode mode) {
  switch (mode) {
    case hypervisor::AcceleratorMode::kAuto:
      return "auto";
    case hypervisor::AcceleratorMode::kKvm:
      return "kvm";
    case hypervisor::AcceleratorMode::kTcg:
      return "tcg";
  }
  return "auto";
}

}  // namespace

std::string report(std::string_view version, const Config& config, const Findings& findings) {
  return dump(version, name_of(config.hypervisor.accel), findings);
}

std::string report_of_mistakes(std::string_view version, const absl::Status& mistakes,
                               const std::string& path) {
  return dump(version, "",
              {{.check = "configuration",
                .verdict = Verdict::kFailed,
                .what = std::string(message_of(mistakes)) + "\nNothing else could be checked.",
                .todo = fmt::format("edit {0}; stellwerkd check-config --config {0}", path)}});
}

}  // namespace stellwerk::daemon::doctor
