// Groups.
#include "api/convert/from_wire.h"
#include "api/convert/mutation_context.h"
#include "api/convert/read_page.h"

namespace stellwerk::convert {
namespace {

constexpr int kMostRules = 8;  // one of each policy and level

GroupPolicy read_policy(RequestReader& reader, const std::string& field,
                        const v1::Group::Rule& rule) {
  switch (rule.policy()) {
    case v1::Group::AFFINITY:
      return GroupPolicy::kAffinity;
    case v1::Group::ANTI_AFFINITY:
      return GroupPolicy::kAntiAffinity;
    default:
      break;
  }
  reader.add(field + ".policy", fmt::format("{} is no policy; give AFFINITY or ANTI_AFFINITY",
                                            static_cast<int>(rule.policy())));
  return GroupPolicy::kAntiAffinity;
}

DomainLevel read_level(RequestReader& reader, const std::string& field,
                       const v1::Group::Rule& rule) {
  switch (rule.level()) {
    case v1::Group::HOST:
      return DomainLevel::kHost;
    case v1::Group::RACK:
      return DomainLevel::kRack;
    case v1::Group::ZONE:
      return DomainLevel::kZone;
    case v1::Group::SITE:
      return DomainLevel::kSite;
    default:
      break;
  }
  reader.add(field + ".level", fmt::format("{} is no level; give HOST, RACK, ZONE or SITE",
                                           static_cast<int>(rule.level())));
  return DomainLevel::kHost;
}

std::vector<GroupRule> read_rules(RequestReader& reader, const v1::Group& group) {
  std::vector<GroupRule> rules;
  if (group.rules_size() > kMostRules) {
    reader.add("group.rules", fmt::format("has {}; there are no more than {} different ones",
                                          group.rules_size(), kMostRules));
    return rules;
  }
  for (int i = 0; i < group.rules_size(); ++i) {
    const std::string field = fmt::format("group.rules[{}]", i);
    const v1::Group::Rule& rule = group.rules(i);
    rules.push_back({.policy = read_policy(reader, field, rule),
                     .level = read_level(reader, field, rule),
                     .hard = !rule.soft(),
                     .most_per_domain = rule.has_most_per_domain() ? rule.most_per_domain() : 1});
  }
  return rules;
}

}  // namespace

controller::Mutation to_mutation(const v1::CreateGroupRequest& request, const Origin& origin) {
  RequestReader reader;
  controller::CreateGroup create;
  create.project = reader.parent("parent", request.parent());
  create.id = reader.label_id("group_id", request.group_id());
  create.rules = read_rules(reader, request.group());
  create.labels = reader.labels("group.labels", request.group().labels());
  return mutation(request, {"CreateGroup", origin}, reader, std::move(create));
}

controller::Mutation to_mutation(const v1::DeleteGroupRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = reader.name("name", request.name(), ResourceKind::kGroup);
  return mutation(request, {"DeleteGroup", origin}, reader,
                  controller::DeleteGroup{.project = name.project, .id = name.id});
}

absl::StatusOr<controller::Query> to_query(const v1::GetGroupRequest& request) {
  RequestReader reader;
  ResourceName name = reader.name("name", request.name(), ResourceKind::kGroup);
  SW_RETURN_IF_ERROR(reader.status());
  return controller::GetGroup{.project = std::move(name.project), .id = std::move(name.id)};
}

absl::StatusOr<controller::Query> to_query(const v1::ListGroupsRequest& request) {
  RequestReader reader;
  controller::ListGroups list{.project = reader.parent_or_all("parent", request.parent()),
                              .page = read_page(reader, request)};
  SW_RETURN_IF_ERROR(reader.status());
  return list;
}

}  // namespace stellwerk::convert
