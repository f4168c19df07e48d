#include <memory>

#include "api/cli/console.h"
#include "api/cli/format.h"
#include "api/cli/instance_booking.h"
#include "api/cli/instance_change.h"
#include "api/cli/instance_view.h"
#include "api/cli/pages.h"

namespace stellwerk::cli {
namespace {

using v1::Instance;
using v1::Instances;

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
  add_booking(noun, chosen);
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
