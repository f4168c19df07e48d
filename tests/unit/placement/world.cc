#include "world.h"

#include <fmt/format.h>

#include <algorithm>

namespace stellwerk::placement {
namespace {

std::string parent_of(const std::string& id) {
  const size_t slash = id.rfind('/');
  return slash == std::string::npos ? "" : id.substr(0, slash);
}

// One to three sites with up to two zones, three racks each; some host stands nowhere.
void raise_racks(Dice& dice, World& world, std::vector<std::string>& racks) {
  const int64_t sites = dice.in(1, 4);
  for (int64_t s = 1; s <= sites; ++s) {
    const int64_t zones = dice.in(1, 3);
    for (int64_t z = 0; z < zones; ++z) {
      const int64_t count = dice.in(1, 4);
      for (int64_t r = 1; r <= count; ++r) {
        racks.push_back(fmt::format("dc{}/{}/r{}", s, z == 0 ? "a" : "b", r));
      }
    }
  }
  for (const std::string& id : racks) {
    world.topology.racks.push_back({.uid = rack_uid(id), .id = id});
  }
}

Host odd_or_plain(Dice& dice, const WorldPlan& plan, uint8_t number) {
  if (plan.odd_hosts) return any_host(dice, number);
  Host host = plain_host(number);
  if (dice.one_in(2)) host.facts.memory = gibibytes(8);
  return host;
}

void stand_hosts(Dice& dice, World& world, const std::vector<std::string>& racks) {
  const int64_t count = dice.in(1, world.plan.most_hosts + 1);
  const bool same = dice.one_in(4);
  for (int64_t i = 1; i <= count; ++i) {
    Host host = odd_or_plain(dice, world.plan, static_cast<uint8_t>(i));
    if (same && i > 1) host.facts = world.hosts.front().facts;
    if (!dice.one_in(12)) host.rack = rack_uid(dice.of(racks));
    if (world.plan.power && !dice.one_in(5)) {
      host.power.idle = watts(dice.in(50, 150));
      host.power.peak = host.power.idle + watts(dice.in(0, 400));
    }
    host.maintenance = dice.one_in(12);
    if (!dice.one_in(12)) world.accepting.insert(host.uid);
    if (dice.one_in(4)) world.foreign[host.uid] = {1, VcpuCount(dice.in(0, 3)), mebibytes(700)};
    world.hosts.push_back(std::move(host));
  }
}

Milliwatts idle_of(const World& world, const Rack& rack) {
  Milliwatts idle;
  for (const Host& host : world.hosts) {
    if (host.rack == rack.uid) idle += host.power.idle;
  }
  return idle;
}

// Idle hosts are always within the budgets, also after a failure.
void connect_power(Dice& dice, World& world) {
  if (!world.plan.power || dice.one_in(3)) return;
  for (Rack& rack : world.topology.racks) {
    const std::string site = parent_of(parent_of(rack.id));
    if (dice.one_in(3)) rack.power_limit = idle_of(world, rack) + watts(dice.in(0, 600));
    const int64_t count = dice.in(0, 3);
    const int64_t first = dice.in(1, 4);
    for (int64_t i = 0; i < count; ++i) {
      const std::string id = fmt::format("{}/f{}", site, 1 + (first + i) % 3);
      const auto uid = uid_of<FeedUid>(id);
      auto& feeds = world.topology.feeds;
      auto feed =
          std::find_if(feeds.begin(), feeds.end(), [&](const Feed& one) { return one.uid == uid; });
      if (feed == feeds.end()) {
        feed = feeds.insert(feeds.end(), {.uid = uid, .id = id, .budget = watts(dice.in(1, 1200))});
      }
      feed->budget += idle_of(world, rack) + Milliwatts(1);
      rack.feeds.push_back(uid);
    }
  }
}

void form_groups(Dice& dice, World& world) {
  const int64_t count = world.plan.groups ? dice.in(0, 4) : 0;
  for (int64_t i = 1; i <= count; ++i) {
    std::vector<GroupRule>& rules = world.groups[group_uid(static_cast<uint8_t>(i))];
    const int64_t size = dice.one_in(3) ? 2 : 1;
    for (int64_t r = 0; r < size; ++r) {
      rules.push_back({.policy = dice.of({GroupPolicy::kAffinity, GroupPolicy::kAntiAffinity,
                                          GroupPolicy::kAntiAffinity}),
                       .level = static_cast<DomainLevel>(dice.in(0, 4)),
                       .hard = !dice.one_in(3),
                       .most_per_domain = dice.one_in(3) ? dice.in(2, 4) : 1});
    }
  }
}

void ask_for_more_than_size(Dice& dice, Request& request) {
  if (dice.one_in(4)) {
    request.page_size = dice.of({PageSize::k2MiB, PageSize::k1GiB});
    request.pages = request.page_size == PageSize::k2MiB ? dice.in(1, 1000) : dice.in(1, 3);
    request.memory = mebibytes(dice.in(0, 300));
  }
  if (dice.one_in(4)) {
    request.numa_nodes = dice.of<int32_t>({1, 1, 2, 4});
    request.vcpus = request.vcpus * request.numa_nodes;
    request.pages *= request.numa_nodes;
  }
  if (dice.one_in(4)) request.bandwidth = MegabitsPerSecond(dice.in(1, 2500));
  if (dice.one_in(6)) request.devices.push_back({"nic", dice.in(1, 3)});
  if (dice.one_in(6)) request.devices.push_back({"gpu", dice.in(1, 3)});
  if (dice.one_in(8)) request.disk_type = dice.of({DiskType::kHardDisk, DiskType::kSsd});
}

void wish(Dice& dice, const World& world, Request& request) {
  Wishes& wishes = request.wishes;
  if (dice.one_in(8)) {
    std::string place = dice.of(world.topology.racks).id;
    for (int64_t up = dice.in(0, 3); up > 0; --up) place = parent_of(place);
    wishes.within = place;
  }
  if (dice.one_in(16)) wishes.host = dice.of(world.hosts).uid;
  if (dice.one_in(10)) wishes.required_labels.push_back({"ssd", "fast"});
  if (dice.one_in(10)) wishes.forbidden_labels.push_back({"public", std::nullopt});
  if (dice.one_in(8)) wishes.cpu_baseline = dice.of<std::string>({"x86-64-v2", "x86-64-v3"});
  if (dice.one_in(6)) wishes.preferred_site = dice.of<std::string>({"dc1", "dc2"});
}

void change_host(Dice& dice, World& world, Engine& engine) {
  Host& host = world.hosts[static_cast<size_t>(dice.in(0, std::ssize(world.hosts)))];
  switch (dice.in(0, world.plan.shrinks ? 7 : 4)) {
    case 0:
      if (!world.accepting.erase(host.uid)) world.accepting.insert(host.uid);
      engine.set_accepting(host.uid, world.accepting.contains(host.uid));
      return;
    case 1:
      if (!world.fenced.erase(host.uid) && dice.one_in(2)) world.fenced.insert(host.uid);
      engine.set_fenced(host.uid, world.fenced.contains(host.uid));
      return;
    case 2:
      host.maintenance = !host.maintenance && dice.one_in(2);
      break;
    case 3:
      host.labels["ssd"] = dice.of<std::string>({"fast", "slow"});
      break;
    case 4:
      world.foreign[host.uid] = {1, VcpuCount(dice.in(0, 9)), gibibytes(dice.in(0, 9))};
      engine.set_foreign(host.uid, world.foreign[host.uid]);
      return;
    case 5:
      host.facts.memory = gibibytes(dice.in(1, 40));
      host.facts.threads = std::max(host.facts.cores, host.facts.threads + dice.in(-2, 3));
      host.power.idle = watts(dice.in(0, 200));
      if (!host.facts.numa.empty()) host.facts.numa.front().pages_2mib = dice.in(0, 300);
      break;
    case 6:
      world.images = gigabytes(dice.in(0, 50));
      engine.set_images(world.images);
      return;
  }
  engine.describe(host);
}

}  // namespace

const Host& World::host(const HostUid& uid) const {
  return *std::find_if(hosts.begin(), hosts.end(),
                       [&](const Host& host) { return host.uid == uid; });
}

std::string World::rack_id(const HostUid& uid) const {
  for (const Rack& rack : topology.racks) {
    if (rack.uid == host(uid).rack) return rack.id;
  }
  return "";
}

std::string World::domain(const HostUid& uid, DomainLevel level) const {
  switch (level) {
    case DomainLevel::kHost:
      return uid.to_string();
    case DomainLevel::kRack:
      return rack_id(uid);
    case DomainLevel::kZone:
      return parent_of(rack_id(uid));
    case DomainLevel::kSite:
      return parent_of(parent_of(rack_id(uid)));
  }
  return "";
}

World any_world(Dice& dice, const WorldPlan& plan) {
  World world;
  world.plan = plan;
  world.settings = {.cpu_limits = dice.one_in(2) ? CpuLimits() : any_limits(dice),
                    .guarantee = plan.guarantee,
                    .policy = plan.policy};
  if (dice.one_in(4)) world.settings.tie_seed = dice.seed();
  std::vector<std::string> racks;
  raise_racks(dice, world, racks);
  stand_hosts(dice, world, racks);
  connect_power(dice, world);
  form_groups(dice, world);
  world.pools = {{.id = "ceph", .capacity = gigabytes(200)}};
  return world;
}

Request any_request(Dice& dice, const World& world) {
  Request request;
  request.cpu_class = dice.of({CpuClass::kShared, CpuClass::kShared, CpuClass::kLowPerformance,
                               CpuClass::kDedicatedThread, CpuClass::kDedicatedCore});
  request.vcpus = VcpuCount(dice.in(1, 4));
  request.memory = mebibytes(dice.in(64, 4096));
  request.disk = gigabytes(dice.in(0, 30));
  if (world.plan.odd_hosts) ask_for_more_than_size(dice, request);
  if (world.plan.odd_hosts) wish(dice, world, request);
  request.failover = !dice.one_in(4);
  if (!world.groups.empty() && dice.one_in(2)) {
    request.group = group_uid(static_cast<uint8_t>(dice.in(1, std::ssize(world.groups) + 1)));
  }
  if (dice.one_in(8)) {
    request.pool = "ceph";
    request.pool_bytes = gigabytes(dice.in(0, 250));
  }
  if (dice.one_in(6)) request.count = dice.in(1, world.plan.most_instances + 1);
  return request;
}

Engine empty_engine(const World& world) {
  Engine engine(world.settings, world.topology, world.hosts);
  for (const HostUid& host : world.accepting) engine.set_accepting(host, true);
  for (const HostUid& host : world.fenced) engine.set_fenced(host, true);
  for (const auto& [host, foreign] : world.foreign) engine.set_foreign(host, foreign);
  for (const auto& [uid, rules] : world.groups) engine.put_group(uid, rules);
  engine.set_images(world.images);
  engine.set_pools(world.pools);
  return engine;
}

Engine engine_from_scratch(const World& world) {
  Engine engine = empty_engine(world);
  for (const Guest& guest : world.guests) engine.charge(guest.occupation);
  return engine;
}

Decision ask(World& world, Engine& engine, const Request& request) {
  Decision decision = engine.place(request);
  if (const Placed* placed = std::get_if<Placed>(&decision)) {
    for (const Placement& one : placed->placements) {
      world.guests.push_back({occupation_of(one, request), request});
      engine.charge(world.guests.back().occupation);
    }
  }
  return decision;
}

void release_guest(World& world, Engine& engine, size_t guest) {
  engine.release(world.guests[guest].occupation);
  world.guests.erase(world.guests.begin() + static_cast<std::ptrdiff_t>(guest));
}

void take_step(Dice& dice, World& world, Engine& engine) {
  const int64_t kind = dice.in(0, 12);
  if (kind < 7) {
    ask(world, engine, any_request(dice, world));
  } else if (kind < 10) {
    if (world.guests.empty()) return;
    release_guest(world, engine, static_cast<size_t>(dice.in(0, std::ssize(world.guests))));
  } else {
    change_host(dice, world, engine);
  }
}

std::string difference(const Engine& a, const Engine& b) {
  const Fleet& one = a.fleet();
  const Fleet& other = b.fleet();
  for (size_t i = 0; i < one.hosts().size(); ++i) {
    if (!same_load(one.hosts()[i], other.hosts()[i])) return "host " + one.hosts()[i].id;
  }
  for (size_t i = 0; i < one.racks().size(); ++i) {
    if (one.racks()[i] != other.racks()[i]) return "rack " + one.racks()[i].id;
  }
  for (size_t i = 0; i < one.feeds().size(); ++i) {
    if (one.feeds()[i] != other.feeds()[i]) return "feed " + one.feeds()[i].id;
  }
  for (uint32_t domain = 0; domain < one.hosts().size(); ++domain) {
    if (one.keepers_of(domain) != other.keepers_of(domain)) {
      return fmt::format("keepers of {}", domain);
    }
  }
  for (uint8_t i = 1; i < 5; ++i) {
    const GroupLoad* mine = a.group(group_uid(i));
    const GroupLoad* theirs = b.group(group_uid(i));
    if ((mine == nullptr) != (theirs == nullptr)) return fmt::format("group {} is there", i);
    if (mine != nullptr && *mine != *theirs) return fmt::format("group {}", i);
  }
  return "";
}

std::string text_of(const Decision& decision) {
  if (const Refused* refused = std::get_if<Refused>(&decision)) {
    return fmt::format("refused after {}", refused->placeable);
  }
  if (const Malformed* malformed = std::get_if<Malformed>(&decision)) {
    return "malformed: " + malformed->violations.front().field;
  }
  std::string text;
  for (const Placement& one : std::get<Placed>(decision).placements) {
    text += fmt::format("{} nodes {} cpus {} {}", one.claim.host.to_string().substr(32),
                        fmt::join(one.claim.numa_nodes, ","), fmt::join(one.claim.cpus, ","),
                        to_string(one.claim.power));
    if (one.backup) {
      text += fmt::format(", backup {} nodes {} {}", one.backup->host.to_string().substr(32),
                          fmt::join(one.backup->numa_nodes, ","), to_string(one.backup->power));
    }
    text += "; ";
  }
  return text;
}

std::string text_of(const Request& request) {
  std::string text = fmt::format(
      "{} x {} {} vCPUs, {}, disk {}, nodes {}, {} pages of {}, {}, failover {}, group {}",
      request.count, request.vcpus.count(), to_string(request.cpu_class), to_string(request.memory),
      to_string(request.disk), request.numa_nodes, request.pages, to_string(request.page_size),
      to_string(request.bandwidth), request.failover, request.group.to_string().substr(32));
  const Wishes& wishes = request.wishes;
  for (const DeviceCount& one : request.devices) {
    text += fmt::format(", {} {}", one.count, one.device_class);
  }
  if (!wishes.within.empty()) text += ", within " + wishes.within;
  if (!wishes.host.is_nil()) text += ", host " + wishes.host.to_string().substr(32);
  if (!wishes.cpu_baseline.empty()) text += ", " + wishes.cpu_baseline;
  if (!wishes.preferred_site.empty()) text += ", better in " + wishes.preferred_site;
  return text;
}

}  // namespace stellwerk::placement
