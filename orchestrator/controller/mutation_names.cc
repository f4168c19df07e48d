#include "orchestrator/controller/mutation_names.h"

#include <fmt/format.h>

#include "core/overloaded.h"
#include "core/resource_names.h"
#include "core/validate.h"

namespace stellwerk::controller {
namespace {

// Ids may still be anything when a refusal is written to the log.
constexpr size_t kLongestLogged = 80;

std::string logged(const std::string& id) {
  return id.size() > kLongestLogged || check_display_text(id, kLongestLogged) ? quoted(id) : id;
}

const Image* find_image(const ImageUid& uid, const Ledger& ledger) {
  const auto found = ledger.state().images.find(uid);
  return found == ledger.state().images.end() ? nullptr : &found->second;
}

std::string topology_name(const CreateSite& m) {
  return site_name(logged(m.id));
}
std::string topology_name(const DeleteSite& m) {
  return site_name(logged(m.id));
}
std::string topology_name(const CreateZone& m) {
  return zone_name(logged(m.site) + "/" + logged(m.id));
}
std::string topology_name(const DeleteZone& m) {
  return zone_name(logged(m.id));
}
std::string topology_name(const CreateFeed& m) {
  return feed_name(logged(m.site) + "/" + logged(m.id));
}
std::string topology_name(const UpdateFeed& m) {
  return feed_name(logged(m.id));
}
std::string topology_name(const DeleteFeed& m) {
  return feed_name(logged(m.id));
}
std::string topology_name(const CreateRack& m) {
  return rack_name(logged(m.zone) + "/" + logged(m.id));
}
std::string topology_name(const UpdateRack& m) {
  return rack_name(logged(m.id));
}
std::string topology_name(const DeleteRack& m) {
  return rack_name(logged(m.id));
}

}  // namespace

std::string_view method_of(const MutationBody& body) {
  using namespace std::string_view_literals;
  return std::visit(Overloaded{[](const CreateInstance&) { return "CreateInstance"sv; },
                               [](const CreateInstances&) { return "CreateInstances"sv; },
                               [](const StartInstance&) { return "StartInstance"sv; },
                               [](const StopInstance&) { return "StopInstance"sv; },
                               [](const RebootInstance&) { return "RebootInstance"sv; },
                               [](const ResetInstance&) { return "ResetInstance"sv; },
                               [](const UpdateInstance&) { return "UpdateInstance"sv; },
                               [](const RenameInstance&) { return "RenameInstance"sv; },
                               [](const ResizeInstance&) { return "ResizeInstance"sv; },
                               [](const DeleteInstance&) { return "DeleteInstance"sv; },
                               [](const BeginImageImport&) { return "ImportImage"sv; },
                               [](const FinishImageImport&) { return "ImportImage"sv; },
                               [](const ImportImageFromUrl&) { return "ImportImageFromUrl"sv; },
                               [](const UpdateImage&) { return "UpdateImage"sv; },
                               [](const DeleteImage&) { return "DeleteImage"sv; },
                               [](const CreateFlavor&) { return "CreateFlavor"sv; },
                               [](const DeleteFlavor&) { return "DeleteFlavor"sv; },
                               [](const CreateNetwork&) { return "CreateNetwork"sv; },
                               [](const DeleteNetwork&) { return "DeleteNetwork"sv; },
                               [](const CreateProject&) { return "CreateProject"sv; },
                               [](const UpdateProject&) { return "UpdateProject"sv; },
                               [](const DeleteProject&) { return "DeleteProject"sv; },
                               [](const CreateSite&) { return "CreateSite"sv; },
                               [](const DeleteSite&) { return "DeleteSite"sv; },
                               [](const CreateZone&) { return "CreateZone"sv; },
                               [](const DeleteZone&) { return "DeleteZone"sv; },
                               [](const CreateFeed&) { return "CreateFeed"sv; },
                               [](const UpdateFeed&) { return "UpdateFeed"sv; },
                               [](const DeleteFeed&) { return "DeleteFeed"sv; },
                               [](const CreateRack&) { return "CreateRack"sv; },
                               [](const UpdateRack&) { return "UpdateRack"sv; },
                               [](const DeleteRack&) { return "DeleteRack"sv; },
                               [](const UpdateHost&) { return "UpdateHost"sv; },
                               [](const CreateGroup&) { return "CreateGroup"sv; },
                               [](const DeleteGroup&) { return "DeleteGroup"sv; }},
                    body);
}

std::string resource_of(const MutationBody& body, const Ledger& ledger) {
  return std::visit(
      Overloaded{
          [](const CreateInstances& m) {
            return instance_name(logged(m.project), fmt::format("{}-1..{}", logged(m.id), m.count));
          },
          [](const BeginImageImport& m) { return image_name(logged(m.project), logged(m.id)); },
          [](const ImportImageFromUrl& m) {
            return image_name(logged(m.image.project), logged(m.image.id));
          },
          [](const UpdateImage& m) { return image_name(logged(m.project), logged(m.id)); },
          [](const DeleteImage& m) { return image_name(logged(m.project), logged(m.id)); },
          [&ledger](const FinishImageImport& m) {
            const Image* image = find_image(m.image, ledger);
            return image ? image_name(ledger.project_id(image->project), image->id)
                         : m.image.to_string();
          },
          [](const CreateFlavor& m) { return flavor_name(logged(m.id)); },
          [](const DeleteFlavor& m) { return flavor_name(logged(m.id)); },
          [](const CreateNetwork& m) { return network_name(logged(m.project), logged(m.id)); },
          [](const DeleteNetwork& m) { return network_name(logged(m.project), logged(m.id)); },
          [](const CreateProject& m) { return project_name(logged(m.id)); },
          [](const UpdateProject& m) { return project_name(logged(m.id)); },
          [](const DeleteProject& m) { return project_name(logged(m.id)); },
          [](const UpdateHost& m) { return host_name(logged(m.id)); },
          [](const CreateGroup& m) { return group_name(logged(m.project), logged(m.id)); },
          [](const DeleteGroup& m) { return group_name(logged(m.project), logged(m.id)); },
          [](const auto& m) {
            if constexpr (requires { topology_name(m); })
              return topology_name(m);
            else
              return instance_name(logged(m.project), logged(m.id));
          }},
      body);
}

std::optional<std::string> project_of(const MutationBody& body, const Ledger& ledger) {
  using Id = std::optional<std::string>;
  return std::visit(Overloaded{[&ledger](const FinishImageImport& m) {
                                 const Image* image = find_image(m.image, ledger);
                                 return Id(image ? ledger.project_id(image->project) : "");
                               },
                               [](const ImportImageFromUrl& m) { return Id(m.image.project); },
                               // What has no project belongs to the cell.
                               [](const auto& m) {
                                 if constexpr (requires { m.project; })
                                   return Id(m.project);
                                 else
                                   return Id();
                               }},
                    body);
}

}  // namespace stellwerk::controller
