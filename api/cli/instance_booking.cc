#include "api/cli/instance_booking.h"

#include <memory>

#include "api/cli/exit_code.h"
#include "api/cli/files.h"
#include "api/cli/format.h"
#include "api/cli/instance_change.h"
#include "api/cli/instance_ports.h"
#include "api/cli/instance_view.h"
#include "core/resource_names.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

using v1::Instance;
using v1::Instances;

struct CreateOptions : BookingOptions {
  MutationOptions mutation;
  WaitOptions wait;
};

absl::Status set_ports(const Context& context, const BookingOptions& options, Instance& instance) {
  const std::string prefix = project_name(context) + "/networks/";
  for (const std::string& network : options.networks) add_port(prefix, network, instance);
  if (options.networks.empty() && !options.no_network) add_port(prefix, "flat", instance);
  for (const std::string& rule : options.allow) {
    SW_ASSIGN_OR_RETURN(*instance.add_ingress_rules(), parse_ingress(rule));
  }
  return absl::OkStatus();
}

// A site, a zone or a rack by its path; a full name is taken as it is.
std::string name_of_place(const std::string& path) {
  return path.empty() || path.starts_with("sites/") ? path : ::stellwerk::place_name(path);
}

void set_placing(const Context& context, const BookingOptions& options, Instance& instance) {
  if (!options.group.empty()) {
    instance.set_group(full_name(project_name(context) + "/groups/", options.group));
  }
  instance.set_failover_protected(options.failover);
  Instance::Wishes wishes;
  wishes.set_within(name_of_place(options.within));
  if (!options.host.empty()) wishes.set_host(full_name("hosts/", options.host));
  for (const std::string& label : options.required_labels) wishes.add_required_labels(label);
  for (const std::string& label : options.forbidden_labels) wishes.add_forbidden_labels(label);
  wishes.set_cpu_baseline(options.cpu_baseline);
  wishes.set_preferred_site(name_of_place(options.preferred_site));
  if (wishes.ByteSizeLong() > 0) *instance.mutable_wishes() = wishes;
}

template <class Request>
absl::StatusOr<Request> create_request(Context& context, const CreateOptions& options) {
  Request request;
  request.set_parent(project_name(context));
  request.set_instance_id(options.id);
  SW_ASSIGN_OR_RETURN(*request.mutable_instance(), instance_of(context, options));
  if constexpr (requires { request.set_count(1); }) {
    request.set_count(static_cast<int32_t>(options.count));
  }
  request.set_request_id(claim_request_id(context, options.mutation));
  return request;
}

Goal goal_of(const BookingOptions& options) {
  return options.stopped ? Goal::kStopped : Goal::kRunning;
}

// Each is waited for, also after another has failed; all of them have the one timeout.
absl::Status wait_for_all(Context& context, const CreateOptions& options,
                          std::vector<Instance>& instances) {
  const MonotonicTime end =
      context.now().monotonic + std::chrono::seconds(options.wait.timeout_seconds);
  absl::Status first_failure;
  for (Instance& instance : instances) {
    const Duration left =
        std::max<Duration>(end - context.now().monotonic, std::chrono::milliseconds(1));
    const auto reached =
        wait_for(context, {.answer = instance, .goal = goal_of(options), .timeout = left});
    if (reached.ok()) {
      instance = *reached;
    } else {
      first_failure.Update(reached.status());
    }
  }
  return first_failure;
}

absl::Status create_several(Context& context, const CreateOptions& options) {
  SW_ASSIGN_OR_RETURN(const auto request,
                      create_request<v1::CreateInstancesRequest>(context, options));
  SW_ASSIGN_OR_RETURN(const v1::CreateInstancesResponse answer,
                      context.client.call(&Instances::Stub::CreateInstances, request));
  std::vector<Instance> instances(answer.instances().begin(), answer.instances().end());
  absl::Status waited;
  if (options.wait.wait) waited = wait_for_all(context, options, instances);
  print_list(context, instances, instance_columns(context));
  return waited;
}

absl::Status create_instance(Context& context, const CreateOptions& options) {
  if (options.count > 0) return create_several(context, options);
  SW_ASSIGN_OR_RETURN(const auto request,
                      create_request<v1::CreateInstanceRequest>(context, options));
  SW_ASSIGN_OR_RETURN(const Instance answer,
                      context.client.call(&Instances::Stub::CreateInstance, request));
  SW_ASSIGN_OR_RETURN(const Instance instance,
                      wait_if_asked(context, options.wait, goal_of(options), answer));
  print_one(context, instance, instance_columns(context));
  return absl::OkStatus();
}

void add_size_options(CLI::App* verb, BookingOptions& options) {
  verb->add_option("NAME", options.id, "A DNS label, unique in the project")->required();
  verb->add_option("--count", options.count,
                   "So many, NAME-1 to NAME-COUNT, all of them or none; else one, NAME")
      ->type_name("NUMBER")
      ->check(CLI::Range(int64_t{1}, int64_t{100}));
  verb->add_option("--flavor", options.flavor, "Its size")->required()->type_name("FLAVOR");
  verb->add_option("--image", options.image, "What it boots from")->required()->type_name("IMAGE");
  add_size(verb, "--boot-disk", options.boot_disk,
           "Size of the boot disk, where the flavor names none (20GiB)");
}

void add_network_options(CLI::App* verb, BookingOptions& options) {
  CLI::Option* network =
      add_repeated(verb,
                   {"--network", "NETWORK[=ADDRESS,…]",
                    "Network to be on, with chosen addresses if any; may be repeated; else flat"},
                   options.networks);
  verb->add_flag("--no-network", options.no_network, "No network at all")->excludes(network);
  add_repeated(verb,
               {"--allow", "PROTOCOL[:PORT]=RANGE",
                "What may reach it from outside its networks, such as tcp:443=0.0.0.0/0; may be "
                "repeated"},
               options.allow);
}

void add_life_options(CLI::App* verb, BookingOptions& options) {
  add_repeated(verb, {"--ssh-key", "KEY|FILE", "Public key, or a file of them; may be repeated"},
               options.ssh_keys);
  verb->add_option("--user-data", options.user_data,
                   "User-data for cloud-init, at most 64 KiB; - for standard input")
      ->type_name("FILE");
  add_labels(verb, options.labels);
  verb->add_option("--restart-policy", options.restart_policy, "What follows a crash")
      ->capture_default_str()
      ->check(CLI::IsMember({"on-failure", "never"}));
  verb->add_flag("--stopped", options.stopped, "Reserve everything, but do not start it");
  verb->add_flag("--delete-protection", options.delete_protection,
                 "Refuse to delete it until instance update lifts this");
}

void add_placing_options(CLI::App* verb, BookingOptions& options) {
  verb->add_option("--group", options.group, "Group whose rules it keeps")->type_name("GROUP");
  verb->add_option("--within", options.within, "Site, zone or rack to be in, such as dc1/a")
      ->type_name("PLACE");
  verb->add_option("--host", options.host, "Host to be on")->type_name("HOST");
  add_repeated(verb,
               {"--require-label", "KEY[=VALUE]", "Only on hosts with this label; may be repeated"},
               options.required_labels);
  add_repeated(verb,
               {"--forbid-label", "KEY[=VALUE]", "On no host with this label; may be repeated"},
               options.forbidden_labels);
  verb->add_option("--cpu-baseline", options.cpu_baseline,
                   "Only on hosts whose processors have it, such as x86-64-v3")
      ->type_name("BASELINE");
  verb->add_option("--prefer-site", options.preferred_site, "In this site, if that is possible")
      ->type_name("SITE");
  verb->add_flag("--failover", options.failover,
                 "Keep room for it elsewhere, where the cell guarantees failover");
}

}  // namespace

void add_booking_options(CLI::App* verb, BookingOptions& options) {
  add_size_options(verb, options);
  add_network_options(verb, options);
  add_life_options(verb, options);
  add_placing_options(verb, options);
}

absl::StatusOr<Instance> instance_of(Context& context, const BookingOptions& options) {
  Instance instance;
  instance.set_flavor(full_name("flavors/", options.flavor));
  instance.set_image(full_name(project_name(context) + "/images/", options.image));
  instance.set_boot_disk_bytes(bytes_of(options.boot_disk));
  SW_RETURN_IF_ERROR(set_ports(context, options, instance));
  for (const std::string& key_or_path : options.ssh_keys) {
    SW_ASSIGN_OR_RETURN(const std::vector<std::string> keys, read_ssh_keys(context, key_or_path));
    for (const std::string& key : keys) instance.add_ssh_keys(key);
  }
  if (!options.user_data.empty()) {
    SW_ASSIGN_OR_RETURN(*instance.mutable_user_data(),
                        read_small_file(context, options.user_data, kMostUserData));
  }
  copy_labels(options.labels, *instance.mutable_labels());
  instance.set_restart_policy(options.restart_policy == "never" ? Instance::NEVER
                                                                : Instance::ON_FAILURE);
  instance.set_desired_state(options.stopped ? Instance::STOPPED : Instance::RUNNING);
  instance.set_delete_protection(options.delete_protection);
  set_placing(context, options, instance);
  return instance;
}

void add_booking(CLI::App* noun, Command& chosen) {
  CLI::App* verb =
      add_verb(noun, {"create", "Book an instance, or several alike",
                      "stellwerk instance create web-1 --flavor SCS-1V-2 --image debian-12 \\\n"
                      "      --ssh-key ~/.ssh/id_ed25519.pub --wait"});
  auto options = std::make_shared<CreateOptions>();
  add_booking_options(verb, *options);
  add_request_id(verb, options->mutation);
  add_wait(verb, options->wait);
  choose(verb, options, chosen, create_instance);
}

}  // namespace stellwerk::cli
