// The persisted form: keys of the store's table and the bytes under them (stellwerk.store.v1).
// Wire messages never get here. Decoding never aborts: what cannot be read is DataLoss, and the
// caller keeps the bytes as they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/event.h"
#include "core/host_messages.h"
#include "core/model.h"
#include "core/status.h"

namespace stellwerk::records {

// The cell itself.
struct Cell {
  CellUid uid;
  WallTime created_at;
  uint64_t next_mac = 0;  // number of the next MAC; none is given twice
  friend bool operator==(const Cell&, const Cell&) = default;
};

// Instances that one mutation made; too many to keep each as it was answered.
struct Booking {
  struct Booked {
    InstanceUid uid;
    std::string id;
    friend bool operator==(const Booked&, const Booked&) = default;
  };
  std::vector<Booked> instances;
  friend bool operator==(const Booking&, const Booking&) = default;
};

// A resource as a mutation answered with it.
using Kept = std::variant<Instance, Image, Flavor, Project, Network, Host, Site, Zone, Rack, Feed,
                          Group, Booking>;

// What a mutation answered, kept 24 h for its repetition.
struct RequestRecord {
  Uuid scope;  // the project, or the cell for what belongs to none
  RequestId request_id;
  std::string method;
  Sha256 body{};
  WallTime answered_at;
  // The resource as it was answered, and for an instance what was observed then.
  Kept resource;
  Observed observed;
};

std::string encode(const Cell& cell);
std::string encode(const Project& project);
std::string encode(const Flavor& flavor);
std::string encode(const Image& image);
std::string encode(const Network& network);
std::string encode(const Host& host);
std::string encode(const Instance& instance);
std::string encode(const Site& site);
std::string encode(const Zone& zone);
std::string encode(const Rack& rack);
std::string encode(const Feed& feed);
std::string encode(const Group& group);
std::string encode(const RequestRecord& request);
std::string encode(const LogRecord& log);

absl::StatusOr<Cell> decode_cell(std::string_view bytes);
absl::StatusOr<Project> decode_project(std::string_view bytes);
absl::StatusOr<Flavor> decode_flavor(std::string_view bytes);
absl::StatusOr<Image> decode_image(std::string_view bytes);
absl::StatusOr<Network> decode_network(std::string_view bytes);
absl::StatusOr<Host> decode_host(std::string_view bytes);
absl::StatusOr<Instance> decode_instance(std::string_view bytes);
absl::StatusOr<Site> decode_site(std::string_view bytes);
absl::StatusOr<Zone> decode_zone(std::string_view bytes);
absl::StatusOr<Rack> decode_rack(std::string_view bytes);
absl::StatusOr<Feed> decode_feed(std::string_view bytes);
absl::StatusOr<Group> decode_group(std::string_view bytes);
absl::StatusOr<RequestRecord> decode_request(std::string_view bytes);
absl::StatusOr<LogRecord> decode_log(std::string_view bytes);

}  // namespace stellwerk::records
