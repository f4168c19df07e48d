#include <fmt/ranges.h>

#include <memory>

#include "api/cli/commands.h"
#include "api/cli/exit_code.h"
#include "api/cli/format.h"
#include "api/cli/pages.h"
#include "api/cli/verbs.h"
#include "core/group.h"
#include "core/parse_number.h"
#include "core/validate.h"
#include "stellwerk/v1/groups.grpc.pb.h"

namespace stellwerk::cli {
namespace {

using v1::Group;
using v1::Groups;
using Rule = v1::Group::Rule;

struct CreateOptions {
  std::string id;
  std::vector<std::string> rules;
  std::vector<std::string> labels;
  MutationOptions mutation;
};

std::string group_name(const Context& context, std::string_view id) {
  return full_name(project_name(context) + "/groups/", id);
}

// The part before the next colon, which goes, too.
std::string_view take_part(std::string_view& text) {
  const std::string_view part = text.substr(0, text.find(':'));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

bool read_policy(std::string_view text, Rule& rule) {
  if (text == to_string(GroupPolicy::kAffinity)) rule.set_policy(Group::AFFINITY);
  if (text == to_string(GroupPolicy::kAntiAffinity)) rule.set_policy(Group::ANTI_AFFINITY);
  return rule.policy() != Group::POLICY_UNSPECIFIED;
}

bool read_level(std::string_view text, Rule& rule) {
  const auto level = parse_domain_level(text);
  if (!level) return false;
  switch (*level) {
    case DomainLevel::kHost:
      rule.set_level(Group::HOST);
      break;
    case DomainLevel::kRack:
      rule.set_level(Group::RACK);
      break;
    case DomainLevel::kZone:
      rule.set_level(Group::ZONE);
      break;
    case DomainLevel::kSite:
      rule.set_level(Group::SITE);
      break;
  }
  return true;
}

bool read_detail(std::string_view text, Rule& rule) {
  constexpr std::string_view kMost = "max=";
  if (text == "soft" || text == "hard") {
    rule.set_soft(text == "soft");
    return true;
  }
  if (!text.starts_with(kMost)) return false;
  const auto most = parse_number<int64_t>(text.substr(kMost.size()));
  if (most) rule.set_most_per_domain(*most);
  return most.has_value();
}

// "anti-affinity:rack:soft:max=2". What makes no sense is the daemon's to say.
absl::StatusOr<Rule> parse_rule(const std::string& text) {
  Rule rule;
  std::string_view rest = text;
  bool good = read_policy(take_part(rest), rule) && read_level(take_part(rest), rule);
  while (good && !rest.empty()) good = read_detail(take_part(rest), rule);
  if (good && !text.ends_with(':')) return rule;
  return invalid_argument(
      "{} is not POLICY:LEVEL[:soft][:max=NUMBER]; policies are affinity and anti-affinity, levels "
      "host, rack, zone and site",
      stellwerk::quoted(text));
}

std::string check_rule(const std::string& text) {
  const auto rule = parse_rule(text);
  return rule.ok() ? "" : std::string(message_of(rule.status()));
}

std::string level_text(Group::Level level) {
  switch (level) {
    case Group::HOST:
      return "host";
    case Group::RACK:
      return "rack";
    case Group::ZONE:
      return "zone";
    case Group::SITE:
      return "site";
    default:
      return std::to_string(static_cast<int>(level));
  }
}

std::string policy_text(Group::Policy policy) {
  switch (policy) {
    case Group::AFFINITY:
      return "affinity";
    case Group::ANTI_AFFINITY:
      return "anti-affinity";
    default:
      return std::to_string(static_cast<int>(policy));
  }
}

// As it is written on the command line.
std::string rule_text(const Rule& rule) {
  std::string text = policy_text(rule.policy()) + ":" + level_text(rule.level());
  if (rule.soft()) text += ":soft";
  if (rule.has_most_per_domain() && rule.most_per_domain() != 1) {
    text += fmt::format(":max={}", rule.most_per_domain());
  }
  return text;
}

std::string rules_text(const Group& group) {
  std::vector<std::string> rules;
  for (const Rule& rule : group.rules()) rules.push_back(rule_text(rule));
  return fmt::format("{}", fmt::join(rules, ", "));
}

Columns<Group> group_columns(const Context& context) {
  const WallTime now = context.now().wall;
  Columns<Group> columns;
  if (context.project == "-") {
    columns.push_back(
        {"PROJECT", Shown::kAlways, [](const Group& g) { return Cell(project_of(g.name())); }});
  }
  const Columns<Group> rest = {
      {"NAME", Shown::kAlways, [](const Group& g) { return Cell(id_of(g.name())); }},
      {"RULES", Shown::kAlways, [](const Group& g) { return Cell(rules_text(g)); }},
      {"MEMBERS", Shown::kAlways,
       [](const Group& g) { return Cell(std::to_string(g.member_count())); }},
      {"AGE", Shown::kAlways, [now](const Group& g) { return Cell(age(g.create_time(), now)); }},
      {"LABELS", Shown::kWide, [](const Group& g) { return Cell(labels_text(g.labels())); }},
      {"ETAG", Shown::kWide, [](const Group& g) { return Cell(g.etag()); }},
      {"UID", Shown::kWide, [](const Group& g) { return Cell(g.uid()); }},
  };
  columns.insert(columns.end(), rest.begin(), rest.end());
  return columns;
}

absl::Status create_group(Context& context, const CreateOptions& options) {
  v1::CreateGroupRequest request;
  request.set_parent(project_name(context));
  request.set_group_id(options.id);
  for (const std::string& text : options.rules) {
    SW_ASSIGN_OR_RETURN(*request.mutable_group()->add_rules(), parse_rule(text));
  }
  copy_labels(options.labels, *request.mutable_group()->mutable_labels());
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Group group, context.client.call(&Groups::Stub::CreateGroup, request));
  print_one(context, group, group_columns(context));
  return absl::OkStatus();
}

absl::Status list_groups(Context& context) {
  v1::ListGroupsRequest request;
  request.set_parent(project_name(context));
  SW_ASSIGN_OR_RETURN(const std::vector<Group> groups,
                      collect(context, &Groups::Stub::ListGroups, request,
                              &v1::ListGroupsResponse::mutable_groups));
  print_list(context, groups, group_columns(context));
  return absl::OkStatus();
}

absl::Status show_group(Context& context, const std::string& id) {
  SW_ASSIGN_OR_RETURN(const Group group,
                      get(context, &Groups::Stub::GetGroup, group_name(context, id)));
  KeyValues pairs = {{"Name", id_of(group.name())}, {"Project", project_of(group.name())}};
  for (const Rule& rule : group.rules()) pairs.emplace_back("Rule", rule_text(rule));
  pairs.emplace_back("Members", std::to_string(group.member_count()));
  for (const Group::Member& member : group.members()) {
    pairs.emplace_back("Member",
                       fmt::format("{} on {}", id_of(member.instance()), id_of(member.host())));
  }
  pairs.emplace_back("Labels", labels_text(group.labels()));
  pairs.emplace_back("Created", time_and_age(group.create_time(), context.now().wall));
  pairs.emplace_back("UID", group.uid());
  pairs.emplace_back("Etag", group.etag());
  print_details(context, group, pairs);
  return absl::OkStatus();
}

absl::Status delete_group(Context& context, const DeleteOptions& options) {
  return delete_resource(context, &Groups::Stub::DeleteGroup, group_name(context, options.id),
                         options.mutation, "group {} is deleted");
}

void add_create(CLI::App* noun, Command& chosen) {
  CLI::App* verb = add_verb(noun, {"create", "Make a group; its rules stay as they are",
                                   "stellwerk group create web --rule anti-affinity:rack \\\n"
                                   "      --rule affinity:site:soft"});
  auto options = std::make_shared<CreateOptions>();
  verb->add_option("NAME", options->id, "A DNS label")->required();
  add_repeated(verb, {"--rule", "RULE", "POLICY:LEVEL[:soft][:max=NUMBER]; may be repeated"},
               options->rules)
      ->required()
      ->check(CLI::Validator(check_rule, ""));
  add_labels(verb, options->labels);
  add_request_id(verb, options->mutation);
  choose(verb, options, chosen, create_group);
}

}  // namespace

void add_group_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "group", "Instances that want to be together or apart");
  add_create(noun, chosen);
  CLI::App* list = add_verb(noun, {"list", "List the groups", "stellwerk group list"});
  list->callback([&chosen] { chosen = list_groups; });
  add_show(noun, chosen, {"show", "Show one group and its members", "stellwerk group show web"},
           show_group);
  add_delete(noun, chosen,
             {"delete", "Delete a group without members", "stellwerk group delete web"},
             delete_group);
}

}  // namespace stellwerk::cli
