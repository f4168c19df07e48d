#include "api/cli/verbs.h"

namespace stellwerk::cli {

void add_show(CLI::App* noun, Command& chosen, const VerbText& text,
              absl::Status (*action)(Context&, const std::string& id)) {
  CLI::App* verb = add_verb(noun, text);
  auto id = std::make_shared<std::string>();
  verb->add_option("NAME", *id, "The " + noun->get_name())->required();
  choose(verb, id, chosen, action);
}

void add_delete(CLI::App* noun, Command& chosen, const VerbText& text,
                absl::Status (*action)(Context&, const DeleteOptions&)) {
  CLI::App* verb = add_verb(noun, text);
  auto options = std::make_shared<DeleteOptions>();
  verb->add_option("NAME", options->id, "The " + noun->get_name())->required();
  add_mutation(verb, options, chosen, action);
}

}  // namespace stellwerk::cli
