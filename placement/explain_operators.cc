#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "placement/explain_refusal.h"
#include "placement/power.h"

namespace stellwerk::placement {
namespace {

constexpr size_t kMostNames = 5;

// "plain, silver, and 3 more"
std::string listed(const std::set<std::string>& names) {
  if (names.empty()) return "none";
  std::vector<std::string> few;
  for (const std::string& name : names) {
    if (few.size() == kMostNames) break;
    few.push_back(name);
  }
  std::string text = fmt::format("{}", fmt::join(few, ", "));
  if (names.size() > few.size()) text += fmt::format(", and {} more", names.size() - few.size());
  return text;
}

std::string parent_of(const std::string& name) {
  const size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

// The places right below the smallest one around `wanted` that there is.
std::string places_near(const std::string& wanted, const Fleet& fleet) {
  std::string around = parent_of(wanted);
  while (!around.empty() && !fleet.find_place(around)) around = parent_of(around);
  std::set<std::string> names;
  const auto collect = [&](const auto& ranges) {
    for (const auto& range : ranges) {
      if (!range.id.empty() && parent_of(range.id) == around) names.insert(range.id);
    }
  };
  collect(fleet.sites());
  collect(fleet.zones());
  collect(fleet.racks());
  return listed(names);
}

std::string place_words(const Inquiry& inquiry) {
  const Wishes& wishes = inquiry.request().wishes;
  const Fleet& fleet = inquiry.fleet();
  if (!fleet.find_place(wishes.within)) {
    return fmt::format("there is no {} with hosts; there are: {}", wishes.within,
                       places_near(wishes.within, fleet));
  }
  if (wishes.host.is_nil()) return fmt::format("not within {}", wishes.within);
  const HostLoad* host = fleet.find(wishes.host);
  if (host == nullptr) return "the host that was asked for is not there";
  if (inquiry.range()) return fmt::format("{} was asked for", host->id);
  return fmt::format("{} was asked for, which is not within {}", host->id, wishes.within);
}

// Of labels that no host has; empty if each is somewhere.
std::string unknown_labels(const Inquiry& inquiry) {
  for (const LabelMatch& wanted : inquiry.request().wishes.required_labels) {
    std::set<std::string> values;
    std::set<std::string> keys;
    for (const HostLoad& host : inquiry.fleet().hosts()) {
      for (const auto& [key, value] : host.labels) {
        keys.insert(key);
        if (key == wanted.key) values.insert(value);
      }
    }
    if (values.empty()) {
      return fmt::format("no host has a label {}; labels: {}", wanted.key, listed(keys));
    }
    if (wanted.value && !values.contains(*wanted.value)) {
      return fmt::format("no host has the label {}={}; values of {}: {}", wanted.key, *wanted.value,
                         wanted.key, listed(values));
    }
  }
  return "";
}

// The rack's limit or the feed that does not allow it.
std::string power_words(uint32_t index, const Inquiry& inquiry) {
  const Fleet& fleet = inquiry.fleet();
  RackLoad rack = fleet.racks()[inquiry.host(index).rack];
  const Milliwatts more = inquiry.power_on(index, inquiry.request());
  if (rack.power_limit && rack.draw + more > *rack.power_limit) {
    return fmt::format("rack {} draws {} of its limit of {}", rack.id, to_string(rack.draw),
                       to_string(*rack.power_limit));
  }
  std::vector<FeedLoad> feeds = fleet.feeds();
  add_draw(rack, feeds, more);
  for (const uint32_t number : rack.feeds) {
    const FeedLoad& now = fleet.feeds()[number];
    if (worst_draw(feeds[number]) <= now.budget) continue;
    return fmt::format("feed {} delivers {} of {}{}", now.id, to_string(worst_draw(now)),
                       to_string(now.budget), rack.feeds.size() > 1 ? " if another fails" : "");
  }
  return "";
}

std::string power_words(const Tally& tally, const Inquiry& inquiry) {
  std::set<std::string> words;
  uint32_t last_rack = Fleet::kNone;
  for (const uint32_t host : tally.hosts) {
    if (inquiry.host(host).rack == last_rack) continue;
    last_rack = inquiry.host(host).rack;
    words.insert(power_words(host, inquiry));
    if (words.size() > kMostNames) break;
  }
  return listed(words);
}

std::string domain_of(uint32_t host, DomainLevel level, const Fleet& fleet) {
  const std::string name = fleet.domain_name(fleet.domain_of(host, level), level);
  return name.empty() ? fmt::format("its {}", to_string(level))
                      : fmt::format("{} {}", to_string(level), name);
}

std::string group_words(uint32_t host, const GroupRule& rule, const Inquiry& inquiry) {
  const Fleet& fleet = inquiry.fleet();
  const GroupLoad& group = *inquiry.engine().group(inquiry.request().group);
  const uint32_t domain = fleet.domain_of(host, rule.level);
  const auto there = std::count_if(group.members.begin(), group.members.end(),
                                   [&](const GroupLoad::Member& member) {
                                     return fleet.domain_of(member.host, rule.level) == domain;
                                   });
  const bool after_loss = rule.policy == GroupPolicy::kAntiAffinity && there < rule.most_per_domain;
  return fmt::format("{} of its group: {} {}", words_of(rule), domain_of(host, rule.level, fleet),
                     after_loss ? "has more after a failure" : fmt::format("has {}", there));
}

std::string pool_words(const Inquiry& inquiry) {
  return reason_of({.objection = {Scope::kPool}, .hosts = {}, .group_rules = {}}, inquiry,
                   std::nullopt);
}

}  // namespace

std::string operator_words(const Tally& tally, const Inquiry& inquiry) {
  const Objection& objection = tally.objection;
  switch (objection.scope) {
    case Scope::kPlace:
      return place_words(inquiry);
    case Scope::kHost:
      if (objection.rule->name == "labels") {
        if (std::string unknown = unknown_labels(inquiry); !unknown.empty()) return unknown;
      }
      return reason_of(tally, inquiry, std::nullopt);
    case Scope::kPower:
      return power_words(tally, inquiry);
    case Scope::kPool:
    case Scope::kGroup:
    case Scope::kFailover:
      return reason_of(tally, inquiry, std::nullopt);
  }
  return "";
}

std::vector<std::string> lacks_of(uint32_t index, const Objection& objection,
                                  const Inquiry& inquiry) {
  switch (objection.scope) {
    case Scope::kPlace:
      return {inquiry.request().wishes.host.is_nil()
                  ? fmt::format("it is not within {}", inquiry.request().wishes.within)
                  : "it is not the host that was asked for"};
    case Scope::kHost: {
      std::vector<std::string> lacks;
      for (const Shortage& one : inquiry.shortages(index, *objection.rule)) {
        lacks.push_back(one.free < one.asked ? inquiry.words_of(one, *objection.rule)
                                             : "its free threads are too scattered");
      }
      if (!lacks.empty()) return lacks;
      return {objection.rule->words(inquiry.host(index), inquiry.ask())};
    }
    case Scope::kPool:
      return {pool_words(inquiry)};
    case Scope::kPower:
      return {fmt::format("{} more asked: {}",
                          to_string(inquiry.power_on(index, inquiry.request())),
                          power_words(index, inquiry))};
    case Scope::kGroup:
      return {group_words(index, *objection.group_rule, inquiry)};
    case Scope::kFailover:
      return {
          fmt::format("no other {} keeps room for it if {} fails",
                      to_string(*inquiry.engine().settings().guarantee),
                      domain_of(index, *inquiry.engine().settings().guarantee, inquiry.fleet()))};
  }
  return {};
}

}  // namespace stellwerk::placement
