// What the verbs of sites, zones, racks and feeds share. One thread.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "api/cli/places.h"
#include "api/cli/verbs.h"
#include "stellwerk/v1/topology.grpc.pb.h"

namespace stellwerk::cli {

void add_rack_commands(CLI::App& app, Command& chosen);
void add_feed_commands(CLI::App& app, Command& chosen);

struct WithinText {
  const char* name;  // of the argument: "SITE"
  const char* help;
};
// A list of all, or of what lies within the place that is given.
void add_list_within(CLI::App* noun, Command& chosen, const VerbText& text,
                     const WithinText& within,
                     absl::Status (*action)(Context&, const std::string& place));

template <class Message>
Column<Message> count_column(const char* header, int64_t (Message::*count)() const) {
  return {header, Shown::kAlways,
          [count](const Message& m) { return Cell(std::to_string((m.*count)())); }};
}

template <class Message>
void add_common_columns(Columns<Message>& columns, WallTime now) {
  columns.push_back(
      {"AGE", Shown::kAlways, [now](const Message& m) { return Cell(age(m.create_time(), now)); }});
  columns.push_back({"ETAG", Shown::kWide, [](const Message& m) { return Cell(m.etag()); }});
  columns.push_back({"UID", Shown::kWide, [](const Message& m) { return Cell(m.uid()); }});
}

template <class Message>
void add_common_pairs(KeyValues& pairs, const Message& message, WallTime now) {
  pairs.emplace_back("Created", time_and_age(message.create_time(), now));
  pairs.emplace_back("UID", message.uid());
  pairs.emplace_back("Etag", message.etag());
}

// Like delete_resource, and tells the path.
template <class Stub, class Request, class Resource>
absl::Status delete_place(Context& context,
                          grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                       Resource*),
                          const std::string& name, const MutationOptions& options,
                          fmt::format_string<std::string> sentence) {
  const auto request = mutation_of<Request>(context, name, options);
  SW_ASSIGN_OR_RETURN(const Resource resource, context.client.call(method, request));
  print_deleted(context, resource, fmt::format(sentence, path_of(resource.name())));
  return absl::OkStatus();
}

}  // namespace stellwerk::cli
