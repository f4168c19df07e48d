#include "placement/explain_refusal.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace stellwerk::placement {
namespace {

constexpr size_t kMostNearest = 5;

// Of a host that keeps all rules and yet was not taken.
Objection unexplained(const Inquiry& inquiry) {
  if (inquiry.engine().settings().guarantee && inquiry.request().failover) {
    return {Scope::kFailover};
  }
  const auto cpu = std::find_if(rules().begin(), rules().end(),
                                [](const Rule& rule) { return rule.name == "cpu"; });
  return {Scope::kHost, &*cpu};
}

template <class Free>
int64_t largest(const Tally& tally, const Inquiry& inquiry, Free free) {
  int64_t most = 0;
  for (const uint32_t host : tally.hosts) most = std::max(most, free(inquiry.host(host)));
  return most;
}

std::string asked_and_free(Bytes asked, int64_t most) {
  const Bytes free(most);
  const bool told_apart = to_string(asked) != to_string(free);
  const auto show = [told_apart](Bytes amount) {
    return told_apart ? to_string(amount) : fmt::format("{} bytes", amount.count());
  };
  return fmt::format("{} asked, the largest free is {}", show(asked), show(free));
}

std::string labels_reason(const Tally& tally, const Inquiry& inquiry) {
  const Wishes& wishes = inquiry.request().wishes;
  const auto any = [&](auto wanted) {
    return std::any_of(tally.hosts.begin(), tally.hosts.end(),
                       [&](uint32_t host) { return wanted(inquiry.host(host)); });
  };
  for (const LabelMatch& match : wishes.required_labels) {
    if (!any([&](const HostLoad& host) { return has_label(host.labels, match); })) {
      return fmt::format("{} asked, none there", to_string(match));
    }
  }
  for (const LabelMatch& match : wishes.forbidden_labels) {
    if (!any([&](const HostLoad& host) { return !has_label(host.labels, match); })) {
      return fmt::format("{} forbidden, everywhere there", to_string(match));
    }
  }
  return "those asked and forbidden do not come together";
}

std::string devices_reason(const Tally& tally, const Inquiry& inquiry) {
  const Ask& ask = inquiry.ask();
  if (ask.unknown_device) return fmt::format("{} asked, none there", *ask.unknown_device);
  for (const DeviceCount& asked : inquiry.request().devices) {
    const uint32_t number = inquiry.fleet().device_class(asked.device_class);
    const int64_t most = largest(
        tally, inquiry, [number](const HostLoad& host) { return host.room.devices[number]; });
    if (most < asked.count) {
      return fmt::format("{} {} asked, the largest free is {}", asked.count, asked.device_class,
                         most);
    }
  }
  return "those asked are not free on one host";
}

std::string numa_reason(const Tally& tally, const Inquiry& inquiry, const Rule& rule) {
  int64_t most = 0;
  for (const uint32_t host : tally.hosts) {
    for (const Shortage& one : inquiry.shortages(host, rule)) most = std::max(most, one.free);
  }
  const Ask& ask = inquiry.ask();
  const int64_t vcpus = ask.share.vcpus[index_of(ask.request.cpu_class)];
  return fmt::format("{} asked with {} and {} each, at most {} of a host {} room",
                     counted(ask.request.numa_nodes, "node"), counted(vcpus, "vCPU"),
                     to_string(Bytes(ask.share.memory)), most, most == 1 ? "has" : "have");
}

std::string host_reason(const Tally& tally, const Inquiry& inquiry) {
  const Request& request = inquiry.request();
  const Rule& rule = *tally.objection.rule;
  if (rule.name == "accepting") return "not connected";
  if (rule.name == "fenced") return "fenced";
  if (rule.name == "maintenance") return "in maintenance";
  if (rule.name == "labels") return labels_reason(tally, inquiry);
  if (rule.name == "cpu-baseline") {
    return fmt::format("{} asked, none there", request.wishes.cpu_baseline);
  }
  if (rule.name == "disk-type")
    return fmt::format("{} asked, none there", to_string(request.disk_type));
  if (rule.name == "topology") {
    return fmt::format("{} asked, cores and threads are not known",
                       request.numa_nodes > 0
                           ? "NUMA nodes"
                           : fmt::format("{} vCPUs", to_string(request.cpu_class)));
  }
  if (rule.name == "cpu") {
    const size_t cpu_class = index_of(request.cpu_class);
    return fmt::format("{} {} vCPUs asked, the largest free is {}", request.vcpus.count(),
                       to_string(request.cpu_class),
                       largest(tally, inquiry, [cpu_class](const HostLoad& host) {
                         return host.room.vcpus[cpu_class];
                       }));
  }
  if (rule.name == "memory") {
    return asked_and_free(request.memory, largest(tally, inquiry, [](const HostLoad& host) {
                            return host.room.memory;
                          }));
  }
  if (rule.name == "disk") {
    return asked_and_free(
        request.disk, largest(tally, inquiry, [](const HostLoad& host) { return host.room.disk; }));
  }
  if (rule.name == "bandwidth") {
    const int64_t most =
        largest(tally, inquiry, [](const HostLoad& host) { return host.room.bandwidth; });
    return fmt::format("{} asked, the largest free is {}", to_string(request.bandwidth),
                       to_string(MegabitsPerSecond(most)));
  }
  if (rule.name == "huge-pages") {
    const size_t size = index_of(request.page_size);
    return fmt::format(
        "{} of {} asked, the largest free is {}", counted(request.pages, "page"),
        to_string(request.page_size),
        largest(tally, inquiry, [size](const HostLoad& host) { return host.room.pages[size]; }));
  }
  if (rule.name == "devices") return devices_reason(tally, inquiry);
  return numa_reason(tally, inquiry, rule);
}

std::string place_reason(const Inquiry& inquiry) {
  const Wishes& wishes = inquiry.request().wishes;
  if (!inquiry.fleet().find_place(wishes.within)) {
    return fmt::format("there is no {} with hosts", wishes.within);
  }
  if (inquiry.fleet().index_of(wishes.host) == Fleet::kNone) {
    return "the host that was asked for is not there";
  }
  return fmt::format("the host that was asked for is not within {}", wishes.within);
}

std::string pool_reason(const Inquiry& inquiry) {
  const Request& request = inquiry.request();
  for (const Pool& pool : inquiry.fleet().pools()) {
    if (pool.id != request.pool) continue;
    const int64_t free = std::max<int64_t>((pool.capacity - pool.used).count(), 0);
    const std::string times = request.count > 1 ? fmt::format("{} times ", request.count) : "";
    return fmt::format("{}{} asked of {}, {} {} free", times, to_string(request.pool_bytes),
                       pool.id, to_string(Bytes(free)), free == 1 ? "is" : "are");
  }
  return fmt::format("there is no {}", request.pool);
}

std::string group_reason(const Tally& tally, const std::optional<std::string>& overflow) {
  if (overflow) return *overflow;
  std::vector<std::string> words;
  for (const GroupRule* rule : tally.group_rules) words.push_back(words_of(*rule));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string_view subject(const Objection& objection) {
  const std::string_view name = name_of(objection);
  const bool of_state = name == "accepting" || name == "fenced" || name == "maintenance";
  return of_state ? "hosts" : name;
}

std::string_view advice(const Objection& objection) {
  switch (objection.scope) {
    case Scope::kPlace:
      return "ask for another place";
    case Scope::kHost:
      return objection.rule->advice;
    case Scope::kPool:
      return "ask for less or for another pool";
    case Scope::kPower:
      return "ask for fewer vCPUs, or try again when others have gone";
    case Scope::kGroup:
      return "ask for fewer instances or for a group with other rules";
    case Scope::kFailover:
      return "ask for less, or without the failover guarantee";
  }
  return "";
}

}  // namespace

std::string words_of(const GroupRule& rule) {
  switch (rule.policy) {
    case GroupPolicy::kAffinity:
      return fmt::format("all members {} one {}", rule.level == DomainLevel::kHost ? "on" : "in",
                         to_string(rule.level));
    case GroupPolicy::kAntiAffinity:
      return fmt::format("at most {} a {}", counted(rule.most_per_domain, "member"),
                         to_string(rule.level));
  }
  return "";
}

std::string reason_of(const Tally& tally, const Inquiry& inquiry,
                      const std::optional<std::string>& overflow) {
  switch (tally.objection.scope) {
    case Scope::kPlace:
      return place_reason(inquiry);
    case Scope::kHost:
      return host_reason(tally, inquiry);
    case Scope::kPool:
      return pool_reason(inquiry);
    case Scope::kPower:
      return fmt::format("none is left for {}", counted(inquiry.request().vcpus.count(), "vCPU"));
    case Scope::kGroup:
      return group_reason(tally, overflow);
    case Scope::kFailover:
      return fmt::format("no room is left to keep for it in case its {} fails",
                         to_string(*inquiry.engine().settings().guarantee));
  }
  return "";
}

std::vector<Tally> tallies_of(const Inquiry& inquiry, bool refused) {
  std::map<std::pair<Scope, const Rule*>, Tally> tallies;
  for (uint32_t host = 0; host < inquiry.fleet().hosts().size(); ++host) {
    std::optional<Objection> objection = inquiry.first(host);
    if (!objection && !refused) continue;
    if (!objection) objection = unexplained(inquiry);
    Tally& tally = tallies[{objection->scope, objection->rule}];
    tally.objection = *objection;
    tally.hosts.push_back(host);
    std::vector<const GroupRule*>& seen = tally.group_rules;
    if (objection->group_rule == nullptr) continue;
    if (std::find(seen.begin(), seen.end(), objection->group_rule) == seen.end()) {
      seen.push_back(objection->group_rule);
    }
  }
  std::vector<Tally> ordered;
  for (auto& [key, tally] : tallies) ordered.push_back(std::move(tally));
  return ordered;
}

std::vector<RuleCount> counts_of(const std::vector<Tally>& tallies, const Inquiry& inquiry) {
  std::vector<RuleCount> counts;
  for (const Tally& tally : tallies) {
    counts.push_back({.rule = std::string(name_of(tally.objection)),
                      .hosts = static_cast<int64_t>(tally.hosts.size()),
                      .words = operator_words(tally, inquiry)});
  }
  return counts;
}

std::string summary_of(const std::vector<Tally>& tallies, const Inquiry& inquiry,
                       const std::optional<std::string>& overflow) {
  // Hosts elsewhere are no part of what was asked.
  const std::optional<Fleet::HostRange>& range = inquiry.range();
  const size_t considered = range ? range->end - range->first : inquiry.fleet().hosts().size();
  const std::string& within = inquiry.request().wishes.within;
  std::string text = range && !within.empty() ? fmt::format("within {}: ", within) : "";
  bool group_said = false;
  bool pool_said = false;
  const Objection* last = nullptr;
  for (const Tally& tally : tallies) {
    const Scope scope = tally.objection.scope;
    if (scope == Scope::kPlace && range) continue;
    group_said = group_said || scope == Scope::kGroup;
    pool_said = pool_said || scope == Scope::kPool;
    const std::string share =
        tally.hosts.size() == considered
            ? ""
            : fmt::format(" ({} of {} hosts)", tally.hosts.size(), considered);
    text += fmt::format("{}{}: {}; ", subject(tally.objection), share,
                        reason_of(tally, inquiry, overflow));
    last = &tally.objection;
  }
  // What no host can help is said also where every host has reasons of its own.
  if (inquiry.is_pool_short() && !pool_said)
    text += fmt::format("pool: {}; ", pool_reason(inquiry));
  if (overflow && !group_said) text += fmt::format("group: {}; ", *overflow);
  // Hosts that failed the last rule came nearest.
  return text + std::string(advice(last == nullptr ? Objection{Scope::kPlace} : *last));
}

std::optional<std::string> overflow_of_group(const Inquiry& inquiry) {
  const GroupLoad* group = inquiry.engine().group(inquiry.request().group);
  if (group == nullptr || !inquiry.range()) return std::nullopt;
  const int64_t asked = inquiry.request().count;
  for (const GroupRule& rule : group->rules) {
    if (!rule.hard || rule.policy != GroupPolicy::kAntiAffinity) continue;
    std::map<uint32_t, int64_t> members;  // by domain
    const Fleet& fleet = inquiry.fleet();
    for (uint32_t host = inquiry.range()->first; host < inquiry.range()->end; ++host) {
      members.try_emplace(fleet.domain_of(host, rule.level), 0);
    }
    int64_t there = 0;
    for (const GroupLoad::Member& member : group->members) {
      const auto domain = members.find(fleet.domain_of(member.host, rule.level));
      if (domain == members.end()) continue;
      ++domain->second;
      ++there;
    }
    int64_t room = 0;
    for (const auto& [domain, count] : members) {
      room += std::max<int64_t>(rule.most_per_domain - count, 0);
    }
    if (room >= asked) continue;
    const auto domains = static_cast<int64_t>(members.size());
    const std::string have =
        rule.level == DomainLevel::kHost
            ? (domains == 1 ? "there is 1 host" : fmt::format("there are {} hosts", domains))
            : fmt::format("{} {} hosts", counted(domains, to_string(rule.level)),
                          domains == 1 ? "has" : "have");
    const std::string fit =
        there == 0 ? fmt::format("{} {}", counted(room, "member"), room == 1 ? "fits" : "fit")
                   : fmt::format("beside {} {} more {}", counted(there, "member"), room,
                                 room == 1 ? "fits" : "fit");
    return fmt::format("{}, {}: {}, {} asked", words_of(rule), have, fit, asked);
  }
  return std::nullopt;
}

std::vector<NearHost> nearest_hosts(const Inquiry& inquiry) {
  struct Near {
    size_t failed = 0;
    double distance = 0;
    uint32_t host = 0;
  };
  std::vector<Near> order;
  for (uint32_t host = 0; host < inquiry.fleet().hosts().size(); ++host) {
    const std::vector<Objection> objections = inquiry.all(host);
    order.push_back({objections.size(), inquiry.distance(host, objections), host});
  }
  const auto last = order.begin() + static_cast<int64_t>(std::min(order.size(), kMostNearest));
  std::partial_sort(order.begin(), last, order.end(), [](const Near& a, const Near& b) {
    return std::tie(a.failed, a.distance, a.host) < std::tie(b.failed, b.distance, b.host);
  });
  std::vector<NearHost> nearest;
  for (auto near = order.begin(); near != last; ++near) {
    const HostLoad& host = inquiry.host(near->host);
    nearest.push_back({host.uid, host.id, inquiry.fleet().racks()[host.rack].id, {}});
    std::vector<Objection> objections = inquiry.all(near->host);
    if (objections.empty()) objections.push_back(unexplained(inquiry));
    for (const Objection& objection : objections) {
      for (std::string& lack : lacks_of(near->host, objection, inquiry)) {
        nearest.back().lacks.push_back(std::move(lack));
      }
    }
  }
  return nearest;
}

}  // namespace stellwerk::placement
