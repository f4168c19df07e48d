// Changes of an instance's life: update, rename, reset, resize.
#include "api/convert/from_wire.h"
#include "api/convert/ingress_from_wire.h"
#include "api/convert/instance_fields.h"
#include "api/convert/mask.h"
#include "api/convert/mutation_context.h"
#include "core/validate.h"

namespace stellwerk::convert {

controller::Mutation to_mutation(const v1::ResetInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = instance_named(reader, request);
  return mutation(request, {"ResetInstance", origin}, reader,
                  controller::ResetInstance{.project = name.project, .id = name.id});
}

controller::Mutation to_mutation(const v1::UpdateInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const v1::Instance& instance = request.instance();
  const ResourceName name = reader.name("instance.name", instance.name(), ResourceKind::kInstance);
  const auto meant = read_mask(reader, request.update_mask(),
                               {{"labels", !instance.labels().empty()},
                                {"restart_policy", instance.restart_policy() != 0},
                                {"desired_state", instance.desired_state() != 0},
                                {"user_data", !instance.user_data().empty()},
                                {"delete_protection", instance.delete_protection()},
                                {"ingress_rules", !instance.ingress_rules().empty()}});
  controller::UpdateInstance update{.project = name.project, .id = name.id};
  if (meant.contains("labels")) update.labels = reader.labels("instance.labels", instance.labels());
  if (meant.contains("restart_policy")) {
    update.restart_policy = read_restart_policy(reader, instance);
  }
  if (meant.contains("desired_state")) update.desired = read_desired_state(reader, instance);
  if (meant.contains("user_data")) {
    reader.add_if("instance.user_data", check_user_data(instance.user_data()));
    update.user_data = instance.user_data();
  }
  if (meant.contains("delete_protection")) {
    update.delete_protection = instance.delete_protection();
  }
  if (meant.contains("ingress_rules")) {
    update.ingress = read_ingress(reader, "instance.ingress_rules", instance.ingress_rules());
  }
  return mutation(request, {"UpdateInstance", origin}, reader, std::move(update));
}

controller::Mutation to_mutation(const v1::RenameInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = instance_named(reader, request);
  controller::RenameInstance rename{.project = name.project, .id = name.id};
  rename.new_id = reader.label_id("new_instance_id", request.new_instance_id());
  return mutation(request, {"RenameInstance", origin}, reader, std::move(rename));
}

controller::Mutation to_mutation(const v1::ResizeInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = instance_named(reader, request);
  controller::ResizeInstance resize{.project = name.project, .id = name.id};
  resize.flavor = reader.name("flavor", request.flavor(), ResourceKind::kFlavor).id;
  const Bytes disk = reader.size("boot_disk_bytes", request.boot_disk_bytes());
  if (disk > Bytes()) resize.boot_disk = disk;
  return mutation(request, {"ResizeInstance", origin}, reader, std::move(resize));
}

}  // namespace stellwerk::convert
