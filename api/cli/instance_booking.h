// What is to be booked: the options that `instance create` and `explain instance` share, and the
// message that they make.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "api/cli/commands.h"
#include "api/cli/verbs.h"
#include "stellwerk/v1/instances.pb.h"

namespace stellwerk::cli {

struct BookingOptions {
  std::string id;
  int64_t count = 0;  // zero: not given, one without a number
  std::string flavor;
  std::string image;
  std::string boot_disk;
  std::vector<std::string> networks;
  std::vector<std::string> allow;
  bool no_network = false;
  std::vector<std::string> ssh_keys;
  std::string user_data;
  std::vector<std::string> labels;
  std::string restart_policy = "on-failure";
  bool stopped = false;
  bool delete_protection = false;
  std::string group;
  std::string within;
  std::string host;
  std::vector<std::string> required_labels;
  std::vector<std::string> forbidden_labels;
  std::string cpu_baseline;
  std::string preferred_site;
  bool failover = false;
};

// All but the options of mutations.
void add_booking_options(CLI::App* verb, BookingOptions& options);
absl::StatusOr<v1::Instance> instance_of(Context& context, const BookingOptions& options);

// instance create.
void add_booking(CLI::App* noun, Command& chosen);

}  // namespace stellwerk::cli
