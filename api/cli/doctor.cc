#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/cli/commands.h"
#include "api/cli/errors.h"
#include "api/cli/pages.h"
#include "api/cli/verbs.h"
#include "api/client/endpoint.h"

namespace stellwerk::cli {
namespace {

using Json = nlohmann::ordered_json;
using v1::Host;
using v1::Hosts;

// Long enough for a libvirt that does not answer.
constexpr Duration kDoctorPatience = std::chrono::seconds(60);
constexpr Duration kApiPatience = std::chrono::seconds(5);

struct Finding {
  std::string check;
  std::string verdict;  // ok, warning, unknown, failed
  std::string what;
  std::string todo;
};
using Findings = std::vector<Finding>;

struct Report {
  std::string version;
  std::string accel;
  std::string socket;  // of the daemon that the configuration is of; empty: not known
  Findings findings;
};

absl::StatusOr<Report> read_report(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("findings")) {
    return data_loss(
        "stellwerkd says nothing that this stellwerk understands; is one of them of "
        "another version?");
  }
  Report report{.version = json.value("version", ""),
                .accel = json.value("accel", ""),
                .socket = json.value("socket", ""),
                .findings = {}};
  for (const Json& one : json["findings"]) {
    report.findings.push_back({.check = one.value("check", ""),
                               .verdict = one.value("verdict", "unknown"),
                               .what = one.value("what", ""),
                               .todo = one.value("todo", "")});
  }
  return report;
}

// What can be seen of this machine without the API.
Findings look_at_machine(Context& context, const std::string& config, std::string& accel) {
  std::vector<std::string> arguments = {"doctor"};
  if (!config.empty()) arguments.insert(arguments.end(), {"--config", config});
  const auto said = context.environment.stellwerkd(arguments, kDoctorPatience);
  if (!said.ok()) {
    return {{"host", "unknown",
             fmt::format("this machine could not be looked at: {}", message_of(said.status())),
             "install stellwerkd, or run this on the host"}};
  }
  auto report = read_report(*said);
  if (!report.ok()) {
    return {{"host", "unknown", std::string(message_of(report.status())), "stellwerkd --version"}};
  }
  accel = report->accel;
  if (report->version != STELLWERK_VERSION) {
    report->findings.push_back(
        {"versions", "warning",
         fmt::format("stellwerk is {}, stellwerkd is {}", STELLWERK_VERSION, report->version),
         "install both of one version"});
  }
  const std::string& asked = context.client.endpoint().socket_path;
  if (!report->socket.empty() && report->socket != asked) {
    report->findings.push_back(
        {"endpoint", "warning",
         fmt::format("the checks above are of the daemon at {}, those below of the one at {}",
                     report->socket, asked),
         "give --config, the configuration of the daemon that you mean, or another --endpoint"});
  }
  return std::move(report->findings);
}

Finding judge(const Host& host, const std::string& accel) {
  const std::string name = id_of(host.name());
  Finding finding{"guests", "ok", "", ""};
  if (host.state() != Host::READY) {
    finding = {"guests", "failed",
               fmt::format("host {} takes no guests: its agent is not ready", name),
               "journalctl -u stellwerkd -n 50"};
  } else if (host.accelerator() != "kvm" && accel != "tcg") {
    finding = {
        "guests", "warning",
        fmt::format("host {} takes guests, but runs them under {}, slowly: KVM did not boot a "
                    "kernel",
                    name, host.accelerator()),
        "journalctl -u stellwerkd | grep 'accelerator chosen'"};
  } else {
    finding.what = fmt::format("host {} takes guests, under {}", name, host.accelerator());
  }
  return finding;
}

absl::StatusOr<std::vector<Host>> all_hosts(Context& context) {
  v1::ListHostsRequest request;
  request.set_page_size(1);
  // A daemon that does not answer is found out soon; one that does may take its time.
  SW_RETURN_IF_ERROR(
      context.client.call_within(kApiPatience, &Hosts::Stub::ListHosts, request).status());
  return collect(context, &Hosts::Stub::ListHosts, v1::ListHostsRequest(),
                 &v1::ListHostsResponse::mutable_hosts);
}

Findings ask_api(Context& context, const std::string& accel) {
  const auto hosts = all_hosts(context);
  if (!hosts.ok()) {
    const bool denied = reason_of(hosts.status()) == client::kSocketDenied;
    return {{"api", "failed", std::string(message_of(hosts.status())),
             denied ? std::string(hint_for(hosts.status())) : "systemctl status stellwerkd"}};
  }
  Findings findings = {{"api", "ok", "the daemon answers you", ""}};
  if (hosts->empty()) {
    findings.push_back(
        {"guests", "failed", "no host has reported yet", "journalctl -u stellwerkd -n 50"});
  }
  for (const Host& host : *hosts) findings.push_back(judge(host, accel));
  return findings;
}

Cell verdict_cell(const std::string& verdict) {
  const Style style = verdict == "ok"       ? Style::kGood
                      : verdict == "failed" ? Style::kBad
                                            : Style::kBusy;
  return Cell(verdict, style);
}

void print_for_people(const Context& context, const Findings& findings) {
  for (const Finding& finding : findings) {
    const auto pad = [](const std::string& text, size_t width) {
      return std::string(text.size() < width ? width - text.size() : 0, ' ');
    };
    context.out() << styled(verdict_cell(finding.verdict), context.colour)
                  << pad(finding.verdict, 9) << Cell(finding.check).text()
                  << pad(finding.check, 12);
    // A text of several lines keeps its column.
    std::string_view rest = finding.what;
    for (bool first = true; first || !rest.empty(); first = false) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      context.out() << (first ? "" : std::string(21, ' ')) << Cell(rest.substr(0, end)).text()
                    << '\n';
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (!finding.todo.empty()) {
      context.out() << std::string(21, ' ') << "-> " << Cell(finding.todo).text() << '\n';
    }
  }
}

void print(const Context& context, const Findings& findings) {
  if (context.format != OutputFormat::kJson && context.format != OutputFormat::kYaml) {
    return print_for_people(context, findings);
  }
  Json json = Json::array();
  for (const Finding& finding : findings) {
    json.push_back({{"check", finding.check},
                    {"verdict", finding.verdict},
                    {"what", finding.what},
                    {"todo", finding.todo}});
  }
  const std::string text = json.dump(1, ' ', true, Json::error_handler_t::replace);
  context.out() << (context.format == OutputFormat::kJson ? text : yaml_of_json(text)) << '\n';
}

absl::Status examine(Context& context, const std::string& config) {
  std::string accel;
  Findings findings = look_at_machine(context, config, accel);
  for (Finding& finding : ask_api(context, accel)) findings.push_back(std::move(finding));
  print(context, findings);
  const auto failed = std::ranges::count(findings, "failed", &Finding::verdict);
  if (failed == 0) return absl::OkStatus();
  return failed_precondition("{} of {} checks failed", failed, findings.size());
}

}  // namespace

void add_doctor_command(CLI::App& app, Command& chosen) {
  CLI::App* doctor = app.add_subcommand(
      "doctor", "Say what is wrong with this host, and what to type; changes nothing");
  doctor->footer("Example:\n  sudo stellwerk doctor\n\nExit code 0: nothing failed.");
  auto config = std::make_shared<std::string>();
  doctor->add_option("--config", *config, "The daemon's configuration, if not the usual one")
      ->type_name("FILE");
  choose(doctor, config, chosen, examine);
}

}  // namespace stellwerk::cli
