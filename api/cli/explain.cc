// Says what a booking would meet, without booking anything.
#include <fmt/ranges.h>

#include <memory>

#include "api/cli/format.h"
#include "api/cli/instance_booking.h"
#include "api/cli/places.h"

namespace stellwerk::cli {
namespace {

using Response = v1::ExplainPlacementResponse;

void print_refusals(const Context& context, const Response& told) {
  if (told.refusals().empty()) return;
  context.out() << "\nHosts that do not take one, by what stands in the way first:\n";
  Table table({"RULE", "HOSTS", "MORE"});
  for (const Response::Refusal& refusal : told.refusals()) {
    table.add({refusal.rule(), std::to_string(refusal.hosts()), refusal.words()});
  }
  table.print(context.out(), context.colour);
}

void print_nearest(const Context& context, const Response& told) {
  if (told.nearest().empty()) return;
  context.out() << "\nThe nearest:\n";
  Table table({"HOST", "RACK", "LACKS"});
  for (const Response::NearHost& near : told.nearest()) {
    table.add({id_of(near.host()), path_of(near.rack()),
               fmt::format("{}", fmt::join(near.lacks(), "; "))});
  }
  table.print(context.out(), context.colour);
}

void print_explanation(const Context& context, const Response& told) {
  KeyValues pairs = {
      {"Fits", told.fits() ? Cell("yes", Style::kGood) : Cell("no", Style::kBad)},
      {"Summary", told.summary()},
      {"Would fit", told.smallest_change()},
  };
  if (told.hosts() > 0) {
    pairs.emplace_back(
        "Hosts", fmt::format("{}, of which {} could take one", told.hosts(), told.feasible()));
  }
  print_key_values(context.out(), pairs, context.colour);
  print_refusals(context, told);
  print_nearest(context, told);
  if (!told.chosen().empty()) context.out() << "\nChosen:\n";
  for (const std::string& chosen : told.chosen()) {
    context.out() << "  " << Cell(chosen).text() << '\n';
  }
}

struct ExplainOptions : BookingOptions {
  bool as_member = false;
};

absl::Status explain_instance(Context& context, const ExplainOptions& options) {
  v1::ExplainPlacementRequest request;
  request.set_parent(project_name(context));
  request.set_instance_id(options.id);
  request.set_count(static_cast<int32_t>(options.count));
  request.set_as_member(options.as_member);
  SW_ASSIGN_OR_RETURN(*request.mutable_instance(), instance_of(context, options));
  SW_ASSIGN_OR_RETURN(const Response told,
                      context.client.call(&v1::Instances::Stub::ExplainPlacement, request));
  print_document(context, told, [&] { print_explanation(context, told); });
  return absl::OkStatus();
}

}  // namespace

void add_explain_command(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "explain", "What a booking would meet, and why");
  CLI::App* verb =
      add_verb(noun, {"instance", "Say where instance create would place it, or why nowhere",
                      "stellwerk explain instance web --flavor SCS-4V-16 --image debian-12 \\\n"
                      "      --count 3 --within dc1/a"});
  auto options = std::make_shared<ExplainOptions>();
  add_booking_options(verb, *options);
  verb->add_flag("--as-member", options->as_member,
                 "Only what members of the project are told: no hosts and no racks");
  choose(verb, options, chosen, explain_instance);
}

}  // namespace stellwerk::cli
