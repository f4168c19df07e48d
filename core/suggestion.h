// What somebody who mistyped a word may have meant. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stellwerk {

// "; did you mean \"gateway\"?" if a candidate is close to `word`, else "".
std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace stellwerk
