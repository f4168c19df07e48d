// The rules of docs and style that a program can check. Each looks at one file and reports what
// breaks the rule, with its place and what would do.
#pragma once

#include <set>
#include <string>

#include "source_file.h"

namespace stellwerk::style {

// Who may include whom, by the folders of our own headers and by the libraries of others.
void check_layering(const SourceFile& file, Findings& findings);

// Calls and words that have no place, or only the places listed in banned.cc.
void check_banned(const SourceFile& file, Findings& findings);

// At most 100 columns a line and 500 lines a file of C++; at most 1 MB any file.
void check_sizes(const SourceFile& file, Findings& findings);

// At most 60 lines from a function's first line to its closing brace.
void check_function_sizes(const SourceFile& file, Findings& findings);

// A header begins with its purpose as a comment and has #pragma once.
void check_header(const SourceFile& file, Findings& findings);

// A unit test is named after a source, or a folder of sources, in the folder that it mirrors:
// tests/unit/core/ids_test.cc after core/ids.h. `sources` holds every path of the tree.
void check_mirrors_source(const SourceFile& file, const std::set<std::string>& sources,
                          Findings& findings);

}  // namespace stellwerk::style
