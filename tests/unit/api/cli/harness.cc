#include "harness.h"

#include <fstream>

namespace stellwerk::test {

Now TestClock::now() const {
  return {.monotonic = runs_ ? SystemClock().now().monotonic : MonotonicTime(),
          .wall = WallTime(std::chrono::seconds(kTestSeconds))};
}

void TestInterrupt::arm() {
  deadline_ = SystemClock().now().monotonic + std::chrono::seconds(10);
}

bool TestInterrupt::raised() const {
  return gave_up() || (when && when(out->str(), err->str()));
}

bool TestInterrupt::gave_up() const {
  return deadline_ && SystemClock().now().monotonic > *deadline_;
}

Ran CliTest::run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--endpoint", daemon.endpoint()});
  return run_bare(arguments);
}

Ran CliTest::run_bare(const std::vector<std::string>& arguments) {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  if (out_is_full) out.setstate(std::ios::badbit);
  interrupt.out = &out;
  interrupt.err = &err;
  const TestClock clock(time_runs);
  cli::Environment environment{.in = odd_input != nullptr ? *odd_input : in,
                               .out = out,
                               .err = err,
                               .out_is_terminal = out_is_terminal,
                               .err_is_terminal = err_is_terminal,
                               .err_width = [] { return size_t{0}; },
                               .variable = [this](const char* name) -> std::optional<std::string> {
                                 const auto at = variables.find(name);
                                 return at == variables.end() ? std::nullopt
                                                              : std::optional(at->second);
                               },
                               .clock = clock,
                               .interrupt = interrupt,
                               .call_policy = policy,
                               .stellwerkd =
                                   [this](const auto& words, Duration) {
                                     stellwerkd_arguments = words;
                                     return stellwerkd_says;
                                   }};
  const int code = cli::run(arguments, environment);
  return {.code = code, .out = out.str(), .err = err.str()};
}

std::string CliTest::write_file(const std::string& name, const std::string& content) {
  const std::filesystem::path path = daemon.directory() / name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

google::protobuf::Timestamp seconds_ago(int64_t seconds) {
  google::protobuf::Timestamp time;
  time.set_seconds(kTestSeconds - seconds);
  return time;
}

v1::Instance running_instance() {
  v1::Instance instance;
  instance.set_name("projects/default/instances/web-1");
  instance.set_uid("0b5c1f0a-7d4e-5b1c-9a2f-3e4d5c6b7a80");
  instance.set_generation(1);
  instance.set_etag("17");
  *instance.mutable_create_time() = seconds_ago(600);
  instance.set_desired_state(v1::Instance::RUNNING);
  instance.set_flavor("flavors/SCS-1V-2");
  instance.set_image("projects/default/images/debian-12");
  instance.set_boot_disk_bytes(int64_t{20} << 30);
  auto* interface = instance.add_network_interfaces();
  interface->set_network("projects/default/networks/flat");
  interface->set_mac_address("52:54:00:00:00:2a");
  interface->set_ip_address("10.64.0.2");
  interface->add_ip_addresses("10.64.0.2");
  (*instance.mutable_labels())["owner"] = "registry";
  (*instance.mutable_labels())["app"] = "web";
  instance.set_restart_policy(v1::Instance::ON_FAILURE);
  instance.set_phase(v1::Instance::PHASE_RUNNING);
  instance.set_observed_generation(1);
  *instance.mutable_phase_time() = seconds_ago(540);
  instance.set_host("hosts/node-1");
  instance.set_vcpus(1);
  instance.set_memory_bytes(int64_t{2} << 30);
  instance.set_has_user_data(true);
  return instance;
}

v1::WatchEventsResponse watch_response(const std::string& token) {
  v1::WatchEventsResponse response;
  response.set_token(token);
  return response;
}

v1::Event event(const std::string& type, const std::string& message, uint64_t sequence) {
  v1::Event event;
  *event.mutable_time() = seconds_ago(60);
  event.set_type(type);
  event.set_resource("projects/default/instances/web-1");
  event.set_message(message);
  event.set_sequence(sequence);
  return event;
}

}  // namespace stellwerk::test
