#include <map>
#include <memory>

#include "api/cli/commands.h"
#include "api/cli/exit_code.h"
#include "api/cli/format.h"
#include "api/cli/pages.h"
#include "api/cli/verbs.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

using v1::Flavor;
using v1::Flavors;

constexpr int64_t kMebibyte = 1 << 20;

struct CreateOptions {
  std::string id;
  int64_t vcpus = 0;
  std::string memory;
  std::string cpu_class;
  std::string disk;
  std::string disk_type;
  MutationOptions mutation;
};

const std::map<std::string, Flavor::CpuClass> kClasses = {
    {"low-performance", Flavor::LOW_PERFORMANCE},
    {"shared", Flavor::SHARED},
    {"dedicated-thread", Flavor::DEDICATED_THREAD},
    {"dedicated-core", Flavor::DEDICATED_CORE}};
const std::map<std::string, Flavor::DiskType> kDiskTypes = {{"network", Flavor::NETWORK},
                                                            {"hdd", Flavor::HDD},
                                                            {"ssd", Flavor::SSD},
                                                            {"nvme", Flavor::NVME}};

std::string memory_text(const Flavor& flavor) {
  // Only a hostile answer is that large.
  if (flavor.memory_mib() > INT64_MAX / kMebibyte || flavor.memory_mib() < 0) return "?";
  return bytes_text(flavor.memory_mib() * kMebibyte);
}

Columns<Flavor> flavor_columns(const Context& context) {
  const WallTime now = context.now().wall;
  return {
      {"NAME", Shown::kAlways, [](const Flavor& f) { return Cell(id_of(f.name())); }},
      {"VCPUS", Shown::kAlways, [](const Flavor& f) { return Cell(std::to_string(f.vcpus())); }},
      {"CLASS", Shown::kAlways, [](const Flavor& f) { return Cell(class_name(f.cpu_class())); }},
      {"MEMORY", Shown::kAlways, [](const Flavor& f) { return Cell(memory_text(f)); }},
      {"DISK", Shown::kAlways, [](const Flavor& f) { return Cell(disks_text(f)); }},
      {"BUILTIN", Shown::kAlways, [](const Flavor& f) { return Cell(f.builtin() ? "yes" : "no"); }},
      {"AGE", Shown::kWide, [now](const Flavor& f) { return Cell(age(f.create_time(), now)); }},
      {"ETAG", Shown::kWide, [](const Flavor& f) { return Cell(f.etag()); }},
      {"UID", Shown::kWide, [](const Flavor& f) { return Cell(f.uid()); }},
  };
}

KeyValues flavor_details(const Flavor& flavor, WallTime now) {
  return {
      {"Name", id_of(flavor.name())},
      {"vCPUs", std::to_string(flavor.vcpus())},
      {"Class", class_name(flavor.cpu_class())},
      {"Memory", memory_text(flavor)},
      {"Disk", flavor.has_disks() ? disks_text(flavor) : "as each instance asks"},
      {"Builtin", flavor.builtin() ? "yes" : "no"},
      {"Extra specs", labels_text(flavor.extra_specs())},
      {"Created", time_and_age(flavor.create_time(), now)},
      {"UID", flavor.uid()},
      {"Etag", flavor.etag()},
  };
}

absl::Status check_size_given(const CreateOptions& options) {
  std::vector<const char*> missing;
  if (options.vcpus == 0) missing.push_back("--vcpus");
  if (options.memory.empty()) missing.push_back("--memory");
  if (missing.empty() || options.id.starts_with("SCS-")) return absl::OkStatus();
  return usage_error("{} {} missing; only a name that begins with SCS- says the size itself",
                     fmt::join(missing, " and "), missing.size() == 1 ? "is" : "are");
}

absl::Status create_flavor(Context& context, const CreateOptions& options) {
  SW_RETURN_IF_ERROR(check_size_given(options));
  v1::CreateFlavorRequest request;
  request.set_flavor_id(options.id);
  Flavor& flavor = *request.mutable_flavor();
  flavor.set_vcpus(options.vcpus);
  const int64_t memory = bytes_of(options.memory);
  if (memory % kMebibyte != 0) {
    return usage_error("--memory: {} is not a whole number of MiB", options.memory);
  }
  flavor.set_memory_mib(memory / kMebibyte);
  if (!options.cpu_class.empty()) flavor.set_cpu_class(kClasses.at(options.cpu_class));
  if (!options.disk.empty()) {
    flavor.mutable_disks()->set_count(1);
    flavor.mutable_disks()->set_size_bytes(bytes_of(options.disk));
  }
  if (!options.disk_type.empty()) {
    flavor.mutable_disks()->set_type(kDiskTypes.at(options.disk_type));
  }
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Flavor created,
                      context.client.call(&Flavors::Stub::CreateFlavor, request));
  print_one(context, created, flavor_columns(context));
  return absl::OkStatus();
}

absl::Status list_flavors(Context& context) {
  SW_ASSIGN_OR_RETURN(const std::vector<Flavor> flavors,
                      collect(context, &Flavors::Stub::ListFlavors, v1::ListFlavorsRequest(),
                              &v1::ListFlavorsResponse::mutable_flavors));
  print_list(context, flavors, flavor_columns(context));
  return absl::OkStatus();
}

absl::Status show_flavor(Context& context, const std::string& id) {
  SW_ASSIGN_OR_RETURN(const Flavor flavor,
                      get(context, &Flavors::Stub::GetFlavor, full_name("flavors/", id)));
  print_details(context, flavor, flavor_details(flavor, context.now().wall));
  return absl::OkStatus();
}

absl::Status delete_flavor(Context& context, const DeleteOptions& options) {
  return delete_resource(context, &Flavors::Stub::DeleteFlavor, full_name("flavors/", options.id),
                         options.mutation, "flavor {} is deleted");
}

template <class Value>
std::vector<std::string> keys_of(const std::map<std::string, Value>& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

void add_create(CLI::App* noun, Command& chosen) {
  CLI::App* verb = add_verb(
      noun, {"create", "Make a flavor; a name that begins with SCS- says everything itself",
             "stellwerk flavor create tiny --vcpus 1 --memory 64MiB"});
  auto options = std::make_shared<CreateOptions>();
  verb->add_option("NAME", options->id, "An SCS name (SCS-2V-8-50n), or any other")->required();
  verb->add_option("--vcpus", options->vcpus, "Number of vCPUs")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, kMostVcpus));
  add_size(verb, "--memory", options->memory, "Memory of the guest, in whole MiB (4GiB)");
  verb->add_option("--class", options->cpu_class, "How vCPUs share the processors; default shared")
      ->check(CLI::IsMember(keys_of(kClasses)));
  add_size(verb, "--disk", options->disk, "Boot disk; without it each instance asks (20GB)");
  verb->add_option("--disk-type", options->disk_type, "What the disk must lie on")
      ->check(CLI::IsMember(keys_of(kDiskTypes)));
  add_request_id(verb, options->mutation);
  choose(verb, options, chosen, create_flavor);
}

}  // namespace

void add_flavor_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "flavor", "Sizes of instances, after SCS-0100");
  CLI::App* list = add_verb(noun, {"list", "List the flavors", "stellwerk flavor list"});
  list->callback([&chosen] { chosen = list_flavors; });
  add_show(noun, chosen, {"show", "Show one flavor", "stellwerk flavor show SCS-2V-8"},
           show_flavor);
  add_create(noun, chosen);
  add_delete(
      noun, chosen,
      {"delete", "Delete a flavor; its instances keep their size", "stellwerk flavor delete tiny"},
      delete_flavor);
}

}  // namespace stellwerk::cli
