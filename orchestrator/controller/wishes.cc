#include "orchestrator/controller/wishes.h"

#include <fmt/format.h>

#include "core/validate.h"
#include "orchestrator/controller/known_names.h"

namespace stellwerk::controller {
namespace {

using Violations = std::vector<FieldViolation>;

bool lies_in(const std::string& path, const std::string& place) {
  return path == place || path.starts_with(place + "/");
}

// What is wrong with the first part of the path that is not there; nothing if all of it is. Members
// of projects read it: no other place is named.
Problem check_place(const std::string& path, const Ledger& ledger) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    if (ledger.site(path)) return std::nullopt;
    return fmt::format("there is no site {}; ListSites tells operators which there are",
                       quoted(path));
  }
  const std::string parent = path.substr(0, slash);
  if (Problem problem = check_place(parent, ledger)) return problem;
  if (parent.find('/') == std::string::npos) {
    if (ledger.zone(path)) return std::nullopt;
    return fmt::format("there is no zone {}; ListZones tells operators which there are",
                       quoted(path));
  }
  if (ledger.rack(path)) return std::nullopt;
  return fmt::format("there is no rack {}; ListRacks tells operators which there are",
                     quoted(path));
}

void check_within(const WishesRequest& asked, const Ledger& ledger, Violations& violations) {
  if (asked.within.empty()) return;
  if (const Problem problem = check_place(asked.within, ledger)) {
    add_once(violations, "instance.wishes.within", *problem);
  }
}

HostUid check_host(const WishesRequest& asked, const Ledger& ledger, Violations& violations) {
  if (asked.host.empty()) return {};
  const std::string field = "instance.wishes.host";
  const Host* host = ledger.host(asked.host);
  if (!host) {
    add_once(violations, field,
             fmt::format("there is no host {}; ListHosts tells operators which there are",
                         quoted(asked.host)));
    return {};
  }
  const auto rack = ledger.state().racks.find(host->rack);
  const std::string stands = rack == ledger.state().racks.end() ? "" : rack->second.id;
  if (!asked.within.empty() && !lies_in(stands, asked.within)) {
    add_once(violations, field,
             fmt::format("host {} is not within {}; drop one of the two", host->id, asked.within));
  }
  return host->uid;
}

void check_preferred_site(const WishesRequest& asked, const Ledger& ledger,
                          Violations& violations) {
  const std::string& site = asked.preferred_site;
  if (site.empty()) return;
  const std::string field = "instance.wishes.preferred_site";
  if (const Problem problem = check_place(site, ledger)) {
    add_once(violations, field, *problem);
  } else if (!asked.within.empty() && !lies_in(asked.within, site)) {
    add_once(violations, field,
             fmt::format("{} is outside of {}, where it must be; drop one of the two", site,
                         asked.within));
  }
}

GroupUid check_group(const CreateInstance& create, const Ledger& ledger, Violations& violations) {
  if (create.group.empty()) return {};
  if (const Group* group = ledger.group(create.project, create.group)) return group->uid;
  const std::string known = some_names(ledger.group_names(), [&](const Name& name) {
    return name.first == create.project ? name.second : std::string();
  });
  add_once(violations, "instance.group",
           fmt::format("there is no group {} in this project; there are: {}", quoted(create.group),
                       known));
  return {};
}

}  // namespace

Placing check_placing(const CreateInstance& create, const Ledger& ledger,
                      std::vector<FieldViolation>& violations) {
  const WishesRequest& asked = create.wishes;
  check_within(asked, ledger, violations);
  const HostUid host = check_host(asked, ledger, violations);
  check_preferred_site(asked, ledger, violations);
  return {.wishes = {.within = asked.within,
                     .host = host,
                     .required_labels = asked.required_labels,
                     .forbidden_labels = asked.forbidden_labels,
                     .cpu_baseline = asked.cpu_baseline,
                     .preferred_site = asked.preferred_site},
          .group = check_group(create, ledger, violations)};
}

}  // namespace stellwerk::controller
