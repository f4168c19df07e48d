// Files that the command line names. Mistakes are usage errors: nothing has been sent yet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/cli/context.h"

namespace stellwerk::cli {

// As messages name it: with its end, whatever its length. Who prints it escapes it.
std::string quoted_path(std::string_view path);

// The bytes of a file, or of standard input for "-"; at most `limit`.
absl::StatusOr<std::string> read_small_file(Context& context, const std::string& path,
                                            size_t limit);

// One line of a .pub file as it is, or the path of a file with such lines.
absl::StatusOr<std::vector<std::string>> read_ssh_keys(Context& context,
                                                       const std::string& key_or_path);

}  // namespace stellwerk::cli
