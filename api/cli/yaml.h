// The JSON form of an answer as a YAML document, for those who keep such files. Pure.
//
// Invariant: a reader of YAML 1.1 or 1.2 gets the values of the JSON back: what a reader could take
// for a number, a boolean, a date or null and is a string stands in quotation marks.
#pragma once

#include <string>
#include <string_view>

namespace stellwerk::cli {

// `json` is one document, as to_json writes it. The result ends without a newline, and nothing in
// it steers a terminal.
std::string yaml_of_json(std::string_view json);

}  // namespace stellwerk::cli
