#include <memory>

#include "api/cli/console.h"
#include "api/cli/exit_code.h"
#include "api/cli/files.h"
#include "api/cli/format.h"
#include "api/cli/instance_change.h"
#include "api/cli/instance_ports.h"
#include "api/cli/instance_view.h"
#include "api/cli/pages.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

using v1::Instance;
using v1::Instances;

struct CreateOptions {
  std::string id;
  std::string flavor;
  std::string image;
  std::string boot_disk;
  std::vector<std::string> networks;
  std::vector<std::string> allow;
  bool no_network = false;
  std::vector<std::string> ssh_keys;
  std::string user_data;
  std::vector<std::string> labels;
  std::string restart_policy = "on-failure";
  bool stopped = false;
  bool delete_protection = false;
  MutationOptions mutation;
  WaitOptions wait;
};

absl::Status set_ports(const Context& context, const CreateOptions& options, Instance& instance) {
  const std::string prefix = project_name(context) + "/networks/";
  for (const std::string& network : options.networks) add_port(prefix, network, instance);
  if (options.networks.empty() && !options.no_network) add_port(prefix, "flat", instance);
  for (const std::string& rule : options.allow) {
    SW_ASSIGN_OR_RETURN(*instance.add_ingress_rules(), parse_ingress(rule));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::CreateInstanceRequest> create_request(Context& context,
                                                         const CreateOptions& options) {
  v1::CreateInstanceRequest request;
  request.set_parent(project_name(context));
  request.set_instance_id(options.id);
  Instance& instance = *request.mutable_instance();
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
  request.set_request_id(claim_request_id(context, options.mutation));
  return request;
}

absl::Status create_instance(Context& context, const CreateOptions& options) {
  SW_ASSIGN_OR_RETURN(const v1::CreateInstanceRequest request, create_request(context, options));
  SW_ASSIGN_OR_RETURN(const Instance answer,
                      context.client.call(&Instances::Stub::CreateInstance, request));
  const Goal goal = options.stopped ? Goal::kStopped : Goal::kRunning;
  SW_ASSIGN_OR_RETURN(const Instance instance, wait_if_asked(context, options.wait, goal, answer));
  print_one(context, instance, instance_columns(context));
  return absl::OkStatus();
}

// "labels.app=web AND labels.tier=front"
std::string filter_of(const std::vector<std::string>& selectors) {
  std::string filter;
  for (const std::string& selector : selectors) {
    const bool empty = selector.ends_with('=');
    filter +=
        fmt::format("{}labels.{}{}", filter.empty() ? "" : " AND ", selector, empty ? "\"\"" : "");
  }
  return filter;
}

absl::Status list_instances(Context& context, const std::vector<std::string>& selectors) {
  v1::ListInstancesRequest request;
  request.set_parent(project_name(context));
  request.set_filter(filter_of(selectors));
  SW_ASSIGN_OR_RETURN(const std::vector<Instance> instances,
                      collect(context, &Instances::Stub::ListInstances, request,
                              &v1::ListInstancesResponse::mutable_instances));
  print_list(context, instances, instance_columns(context));
  return absl::OkStatus();
}

absl::Status show_instance(Context& context, const std::string& id) {
  SW_ASSIGN_OR_RETURN(const Instance instance,
                      get(context, &Instances::Stub::GetInstance, instance_name(context, id)));
  print_document(context, instance, [&] {
    print_key_values(context.out(), instance_details(instance, context.now().wall), context.colour);
    print_timeline(context, instance);
  });
  return absl::OkStatus();
}

absl::Status delete_instance(Context& context, const ChangeOptions& options) {
  SW_ASSIGN_OR_RETURN(const Instance instance,
                      change(context, options, Goal::kGone, &Instances::Stub::DeleteInstance));
  const std::string id = id_of(instance.name());
  print_deleted(
      context, instance,
      fmt::format("instance {} is {}", id, options.wait.wait ? "deleted" : "being deleted"));
  return absl::OkStatus();
}

void add_create(CLI::App* noun, Command& chosen) {
  CLI::App* verb =
      add_verb(noun, {"create", "Book an instance",
                      "stellwerk instance create web-1 --flavor SCS-1V-2 --image debian-12 \\\n"
                      "      --ssh-key ~/.ssh/id_ed25519.pub --wait"});
  auto options = std::make_shared<CreateOptions>();
  verb->add_option("NAME", options->id, "A DNS label, unique in the project")->required();
  verb->add_option("--flavor", options->flavor, "Its size")->required()->type_name("FLAVOR");
  verb->add_option("--image", options->image, "What it boots from")->required()->type_name("IMAGE");
  add_size(verb, "--boot-disk", options->boot_disk,
           "Size of the boot disk, where the flavor names none (20GiB)");
  CLI::Option* network =
      add_repeated(verb,
                   {"--network", "NETWORK[=ADDRESS,…]",
                    "Network to be on, with chosen addresses if any; may be repeated; else flat"},
                   options->networks);
  verb->add_flag("--no-network", options->no_network, "No network at all")->excludes(network);
  add_repeated(verb,
               {"--allow", "PROTOCOL[:PORT]=RANGE",
                "What may reach it from outside its networks, such as tcp:443=0.0.0.0/0; may be "
                "repeated"},
               options->allow);
  add_repeated(verb, {"--ssh-key", "KEY|FILE", "Public key, or a file of them; may be repeated"},
               options->ssh_keys);
  verb->add_option("--user-data", options->user_data,
                   "User-data for cloud-init, at most 64 KiB; - for standard input")
      ->type_name("FILE");
  add_labels(verb, options->labels);
  verb->add_option("--restart-policy", options->restart_policy, "What follows a crash")
      ->capture_default_str()
      ->check(CLI::IsMember({"on-failure", "never"}));
  verb->add_flag("--stopped", options->stopped, "Reserve everything, but do not start it");
  verb->add_flag("--delete-protection", options->delete_protection,
                 "Refuse to delete it until instance update lifts this");
  add_request_id(verb, options->mutation);
  add_wait(verb, options->wait);
  choose(verb, options, chosen, create_instance);
}

using Action = absl::Status (*)(Context&, const ChangeOptions&);

template <class Request, Goal kGoal,
          grpc::Status (Instances::Stub::*kMethod)(grpc::ClientContext*, const Request&, Instance*)>
absl::Status change_and_print(Context& context, const ChangeOptions& options) {
  SW_ASSIGN_OR_RETURN(const Instance instance, change(context, options, kGoal, kMethod));
  print_one(context, instance, instance_columns(context));
  return absl::OkStatus();
}

// With `force` the names and the meaning of a flag.
struct Force {
  const char* names = nullptr;
  const char* text = nullptr;
};

void add_change(CLI::App* noun, Command& chosen, const VerbText& text, const Force& force,
                Action action) {
  CLI::App* verb = add_verb(noun, text);
  auto options = std::make_shared<ChangeOptions>();
  verb->add_option("NAME", options->id, "The instance")->required();
  if (force.names != nullptr) verb->add_flag(force.names, options->force, force.text);
  add_mutation(verb, options, chosen, action);
  add_wait(verb, options->wait);
}

void add_reads(CLI::App* noun, Command& chosen) {
  CLI::App* list = add_verb(noun, {"list", "List the project's instances; --project - lists all",
                                   "stellwerk instance list --selector app=web -o wide"});
  auto selectors = std::make_shared<std::vector<std::string>>();
  add_pairs(list, "--selector", *selectors, "Only those with this label; may be repeated");
  choose(list, selectors, chosen, list_instances);
  add_show(noun, chosen, {"show", "Show one instance", "stellwerk instance show web-1 -o json"},
           show_instance);
}

}  // namespace

void add_instance_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "instance", "Virtual machines");
  add_create(noun, chosen);
  add_reads(noun, chosen);
  add_change(
      noun, chosen, {"start", "Start a stopped instance", "stellwerk instance start web-1 --wait"},
      {},
      change_and_print<v1::StartInstanceRequest, Goal::kRunning, &Instances::Stub::StartInstance>);
  add_change(
      noun, chosen,
      {"stop", "Ask the guest to shut down; after a minute it is switched off",
       "stellwerk instance stop web-1 --wait --timeout 90"},
      {"--force", "Switch it off without asking the guest"},
      change_and_print<v1::StopInstanceRequest, Goal::kStopped, &Instances::Stub::StopInstance>);
  add_change(noun, chosen,
             {"reboot", "Ask the guest to reboot", "stellwerk instance reboot web-1 --hard --wait"},
             {"--hard,--force",
              "A power cycle without asking the guest: a new process with the definition "
              "of now"},
             change_and_print<v1::RebootInstanceRequest, Goal::kRebooted,
                              &Instances::Stub::RebootInstance>);
  add_change(
      noun, chosen,
      {"reset", "Press the reset button; of an instance that has failed: try again at once",
       "stellwerk instance reset web-1 --wait"},
      {},
      change_and_print<v1::ResetInstanceRequest, Goal::kRebooted, &Instances::Stub::ResetInstance>);
  add_life_commands(noun, chosen);
  add_change(
      noun, chosen,
      {"delete", "Delete an instance and its disk", "stellwerk instance delete web-1 --wait"}, {},
      delete_instance);
  add_console_verbs(noun, chosen);
}

}  // namespace stellwerk::cli
