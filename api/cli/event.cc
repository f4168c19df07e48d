#include <deque>
#include <memory>

#include "api/cli/commands.h"
#include "api/cli/instance_change.h"
#include "api/cli/pages.h"
#include "api/client/event_follower.h"
#include "stellwerk/v1/events.pb.h"

namespace stellwerk::cli {
namespace {

using v1::Event;
using v1::Events;

// How soon Ctrl-C is noticed.
constexpr Duration kTick = std::chrono::milliseconds(200);
// Without ever having had a stream, further attempts are in vain; later the daemon restarts.
constexpr int kFirstFailures = 5;

struct ListOptions {
  int64_t limit = 50;
  std::string instance;
};

struct WatchOptions {
  std::string from;
  std::string instance;
};

std::string resource_of(const Context& context, const std::string& instance) {
  return instance.empty() ? "" : instance_name(context, instance);
}

std::string time_text(const Event& event) {
  return event.has_time() ? to_rfc3339(wall_time(event.time())) : "";
}

Columns<Event> event_columns() {
  return {
      {"TIME", Shown::kAlways, [](const Event& e) { return Cell(time_text(e)); }},
      {"TYPE", Shown::kAlways, [](const Event& e) { return Cell(e.type()); }},
      {"RESOURCE", Shown::kAlways, [](const Event& e) { return Cell(e.resource()); }},
      {"REASON", Shown::kAlways, [](const Event& e) { return Cell(e.reason()); }},
      {"SEQUENCE", Shown::kWide, [](const Event& e) { return Cell(std::to_string(e.sequence())); }},
      {"UID", Shown::kWide, [](const Event& e) { return Cell(e.uid()); }},
      {"MESSAGE", Shown::kAlways, [](const Event& e) { return Cell(e.message()); }},
  };
}

absl::Status list_events(Context& context, const ListOptions& options) {
  v1::ListEventsRequest request;
  request.set_parent(project_name(context));
  request.set_resource(resource_of(context, options.instance));
  std::deque<Event> newest;
  SW_RETURN_IF_ERROR(
      for_each_page(context, &Events::Stub::ListEvents, request, [&](v1::ListEventsResponse& page) {
        for (Event& event : *page.mutable_events()) {
          newest.push_back(std::move(event));
          if (newest.size() > static_cast<size_t>(options.limit)) newest.pop_front();
        }
      }));
  print_list(context, std::vector<Event>(newest.begin(), newest.end()), event_columns());
  return absl::OkStatus();
}

// One line an event, as it comes: nothing can be aligned with what is still to happen.
void print_event_line(const Context& context, const Event& event) {
  const bool wide = context.format == OutputFormat::kWide;
  std::string line;
  for (const Column<Event>& column : event_columns()) {
    if (!wide && column.shown == Shown::kWide) continue;
    const std::string text = column.cell(event).text();
    if (!text.empty()) line += (line.empty() ? "" : "  ") + text;
  }
  context.out() << line << '\n';
}

void print_response(const Context& context, const v1::WatchEventsResponse& response) {
  if (context.format == OutputFormat::kJson) {
    context.out() << to_json(response, JsonLayout::kOneLine) << '\n';
  } else if (context.format == OutputFormat::kYaml) {
    context.out() << "---\n" << yaml_of_json(to_json(response, JsonLayout::kOneLine)) << '\n';
  } else {
    for (const Event& event : response.events()) print_event_line(context, event);
  }
  context.out() << std::flush;
}

absl::Status watch_until_interrupted(Context& context, client::EventFollower& follower) {
  bool told = false;
  bool heard = false;
  while (!context.environment.interrupt.raised() && context.out().good()) {
    SW_ASSIGN_OR_RETURN(const auto response, follower.next(kTick));
    if (response) print_response(context, *response);
    heard |= response.has_value();
    const bool broken = !follower.trouble().ok();
    if (broken && !heard && follower.failures() >= kFirstFailures) {
      return follower.trouble();
    }
    if (broken && !told) {
      context.err() << "no connection, trying again: "
                    << Cell(message_of(follower.trouble())).text() << std::endl;
    }
    told = broken;
  }
  return absl::OkStatus();
}

absl::Status watch_events(Context& context, const WatchOptions& options) {
  context.environment.interrupt.arm();
  client::EventFollower follower(context.client,
                                 {.parent = project_name(context),
                                  .resource = resource_of(context, options.instance),
                                  .token = options.from});
  const absl::Status status = watch_until_interrupted(context, follower);
  const bool moved = status.ok() || follower.token() != options.from;
  if (moved && !follower.token().empty()) {
    context.err() << "go on with: stellwerk event watch --from " << Cell(follower.token()).text()
                  << std::endl;
  }
  return status;
}

}  // namespace

void add_event_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "event", "What happened");
  CLI::App* list = add_verb(noun, {"list", "List the newest events, oldest first",
                                   "stellwerk event list --instance web-1 --limit 20"});
  auto list_options = std::make_shared<ListOptions>();
  list->add_option("--limit", list_options->limit, "How many at most")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}));
  list->add_option("--instance", list_options->instance, "Only of this instance")
      ->type_name("NAME");
  choose(list, list_options, chosen, list_events);
  CLI::App* watch =
      add_verb(noun, {"watch", "Show events as they happen, until Ctrl-C; then tells the token",
                      "stellwerk event watch -o json | jq -r '.events[] | .type, .resource'"});
  auto watch_options = std::make_shared<WatchOptions>();
  watch->add_option("--from", watch_options->from, "Go on after this place; default: from now on")
      ->type_name("TOKEN");
  watch->add_option("--instance", watch_options->instance, "Only of this instance")
      ->type_name("NAME");
  choose(watch, watch_options, chosen, watch_events);
}

}  // namespace stellwerk::cli
