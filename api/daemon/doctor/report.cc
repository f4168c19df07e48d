#include "api/daemon/doctor/report.h"

#include <nlohmann/json.hpp>

namespace stellwerk::daemon::doctor {
namespace {

using Json = nlohmann::ordered_json;

struct About {
  std::string_view version;
  std::string_view accel;
  std::string_view socket;
};

std::string dump(const About& about, const Findings& findings) {
  Json json = {{"version", about.version},
               {"accel", about.accel},
               {"socket", about.socket},
               {"findings", Json::array()}};
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
  return dump({.version = version,
               .accel = name_of(config.hypervisor.accel),
               .socket = config.daemon.socket},
              findings);
}

std::string report_of_mistakes(std::string_view version, const absl::Status& mistakes,
                               const std::string& path) {
  return dump({.version = version, .accel = "", .socket = ""},
              {{.check = "configuration",
                .verdict = Verdict::kFailed,
                .what = std::string(message_of(mistakes)) + "\nNothing else could be checked.",
                .todo = fmt::format("edit {0}; stellwerkd check-config --config {0}", path)}});
}

}  // namespace stellwerk::daemon::doctor
