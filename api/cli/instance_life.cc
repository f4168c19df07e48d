#include <memory>

#include "api/cli/exit_code.h"
#include "api/cli/files.h"
#include "api/cli/format.h"
#include "api/cli/instance_change.h"
#include "api/cli/instance_ports.h"
#include "api/cli/instance_view.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

using v1::Instance;
using v1::Instances;

struct RenameOptions {
  std::string id;
  std::string new_id;
  MutationOptions mutation;
};

struct UpdateOptions {
  std::string id;
  std::vector<std::string> labels;
  std::vector<std::string> unlabels;
  std::string restart_policy;
  std::string state;
  std::string user_data;
  bool no_user_data = false;
  std::string delete_protection;
  std::vector<std::string> allow;
  bool allow_none = false;
  MutationOptions mutation;
};

struct ResizeOptions {
  std::string id;
  std::string flavor;
  std::string boot_disk;
  MutationOptions mutation;
};

absl::Status rename_instance(Context& context, const RenameOptions& options) {
  auto request = mutation_of<v1::RenameInstanceRequest>(context, instance_name(context, options.id),
                                                        options.mutation);
  request.set_new_instance_id(options.new_id);
  SW_ASSIGN_OR_RETURN(const Instance instance,
                      context.client.call(&Instances::Stub::RenameInstance, request));
  print_one(context, instance, instance_columns(context));
  return absl::OkStatus();
}

absl::StatusOr<v1::UpdateInstanceRequest> update_request(Context& context,
                                                         const UpdateOptions& options) {
  v1::UpdateInstanceRequest request;
  Instance& instance = *request.mutable_instance();
  auto& mask = *request.mutable_update_mask();
  instance.set_name(instance_name(context, options.id));
  request.set_etag(options.mutation.etag);
  SW_RETURN_IF_ERROR(
      change_labels(context, options, &Instances::Stub::GetInstance, instance, request));
  if (!options.restart_policy.empty()) {
    instance.set_restart_policy(options.restart_policy == "never" ? Instance::NEVER
                                                                  : Instance::ON_FAILURE);
    mask.add_paths("restart_policy");
  }
  if (!options.state.empty()) {
    instance.set_desired_state(options.state == "running" ? Instance::RUNNING : Instance::STOPPED);
    mask.add_paths("desired_state");
  }
  if (!options.user_data.empty()) {
    SW_ASSIGN_OR_RETURN(*instance.mutable_user_data(),
                        read_small_file(context, options.user_data, kMostUserData));
  }
  if (!options.user_data.empty() || options.no_user_data) mask.add_paths("user_data");
  if (!options.delete_protection.empty()) {
    instance.set_delete_protection(options.delete_protection == "on");
    mask.add_paths("delete_protection");
  }
  for (const std::string& rule : options.allow) {
    SW_ASSIGN_OR_RETURN(*instance.add_ingress_rules(), parse_ingress(rule));
  }
  if (!options.allow.empty() || options.allow_none) mask.add_paths("ingress_rules");
  if (mask.paths().empty()) {
    return usage_error("nothing to change is given; see stellwerk instance update --help");
  }
  return request;
}

absl::Status update_instance(Context& context, const UpdateOptions& options) {
  SW_ASSIGN_OR_RETURN(v1::UpdateInstanceRequest request, update_request(context, options));
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Instance instance,
                      context.client.call(&Instances::Stub::UpdateInstance, request));
  print_details(context, instance, instance_details(instance, context.now().wall));
  return absl::OkStatus();
}

absl::Status resize_instance(Context& context, const ResizeOptions& options) {
  auto request = mutation_of<v1::ResizeInstanceRequest>(context, instance_name(context, options.id),
                                                        options.mutation);
  request.set_flavor(full_name("flavors/", options.flavor));
  request.set_boot_disk_bytes(bytes_of(options.boot_disk));
  SW_ASSIGN_OR_RETURN(const Instance instance,
                      context.client.call(&Instances::Stub::ResizeInstance, request));
  print_one(context, instance, instance_columns(context));
  return absl::OkStatus();
}

void add_rename(CLI::App* noun, Command& chosen) {
  CLI::App* verb = add_verb(noun, {"rename", "Give an instance another name; it runs on",
                                   "stellwerk instance rename web-1 shop-1"});
  auto options = std::make_shared<RenameOptions>();
  verb->add_option("NAME", options->id, "The instance")->required();
  verb->add_option("NEW", options->new_id, "A DNS label, unique in the project")->required();
  add_mutation(verb, options, chosen, rename_instance);
}

void add_update(CLI::App* noun, Command& chosen) {
  CLI::App* verb =
      add_verb(noun, {"update", "Change what may change of an instance",
                      "stellwerk instance update web-1 --label tier=front --unlabel test \\\n"
                      "      --delete-protection on"});
  auto options = std::make_shared<UpdateOptions>();
  verb->add_option("NAME", options->id, "The instance")->required();
  add_labels(verb, options->labels);
  add_unlabels(verb, options->unlabels);
  verb->add_option("--restart-policy", options->restart_policy, "What follows a crash")
      ->check(CLI::IsMember({"on-failure", "never"}));
  verb->add_option("--state", options->state, "What it shall be; stopped asks the guest")
      ->check(CLI::IsMember({"running", "stopped"}));
  CLI::Option* user_data =
      verb->add_option("--user-data", options->user_data,
                       "User-data for cloud-init, before the first start; - for standard input")
          ->type_name("FILE");
  verb->add_flag("--no-user-data", options->no_user_data, "Take the user-data away")
      ->excludes(user_data);
  verb->add_option("--delete-protection", options->delete_protection,
                   "Whether its deletion is refused")
      ->check(CLI::IsMember({"on", "off"}));
  CLI::Option* allow = add_repeated(
      verb,
      {"--allow", "PROTOCOL[:PORT]=RANGE",
       "What may reach it from outside its networks, instead of what may now; may be repeated"},
      options->allow);
  verb->add_flag("--allow-none", options->allow_none, "Nothing may any more")->excludes(allow);
  add_mutation(verb, options, chosen, update_instance);
}

void add_resize(CLI::App* noun, Command& chosen) {
  CLI::App* verb =
      add_verb(noun, {"resize", "Give a stopped instance another flavor; its disk never shrinks",
                      "stellwerk instance resize web-1 --flavor SCS-2V-4 --boot-disk 40GiB"});
  auto options = std::make_shared<ResizeOptions>();
  verb->add_option("NAME", options->id, "The instance")->required();
  verb->add_option("--flavor", options->flavor, "Its new size")->required()->type_name("FLAVOR");
  add_size(verb, "--boot-disk", options->boot_disk,
           "New size of the boot disk, where the flavor names none");
  add_mutation(verb, options, chosen, resize_instance);
}

}  // namespace

void add_life_commands(CLI::App* noun, Command& chosen) {
  add_rename(noun, chosen);
  add_update(noun, chosen);
  add_resize(noun, chosen);
}

}  // namespace stellwerk::cli
