#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "rules.h"

namespace stellwerk::style {
namespace {

namespace fs = std::filesystem;

bool is_skipped(const fs::path& folder) {
  const std::string name = folder.filename();
  return name.starts_with("build") || name.starts_with('.') || name == "__pycache__";
}

// Every regular file of the tree by its path, in order; nothing that is built or hidden.
std::vector<SourceFile> read_tree(const fs::path& root) {
  std::set<fs::path> paths;
  for (auto at = fs::recursive_directory_iterator(root); at != fs::end(at); ++at) {
    if (at->is_directory() && is_skipped(at->path())) at.disable_recursion_pending();
    if (at->is_regular_file() && !at->is_symlink()) paths.insert(at->path());
  }
  std::vector<SourceFile> files;
  for (const fs::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    files.emplace_back(path.lexically_relative(root).generic_string(), std::move(text));
  }
  return files;
}

class Style : public testing::Test {
 protected:
  static void SetUpTestSuite() { tree_ = read_tree(STELLWERK_SOURCE_DIR); }
  static void TearDownTestSuite() { tree_.clear(); }

  static void expect_clean(void (*rule)(const SourceFile&, Findings&)) {
    Findings findings;
    for (const SourceFile& file : tree_) rule(file, findings);
    report(findings);
  }
  static void report(const Findings& findings) {
    for (const Finding& finding : findings) ADD_FAILURE() << to_string(finding);
  }

  static inline std::vector<SourceFile> tree_;
};

TEST_F(Style, TheTreeIsThere) {
  std::set<std::string> paths;
  for (const SourceFile& file : tree_) paths.insert(file.path());
  for (const char* path :
       {"core/ids.cc", "placement/rules.h", "drivers/store/store.h", "orchestrator/agent/plan.h",
        "api/server/gateway.h", "tests/style/style_test.cc"}) {
    EXPECT_TRUE(paths.contains(path)) << path;
  }
}

TEST_F(Style, IncludesFollowTheLayers) {
  expect_clean(check_layering);
}
TEST_F(Style, NothingCallsWhatIsBanned) {
  expect_clean(check_banned);
}
TEST_F(Style, LinesAndFilesAreShort) {
  expect_clean(check_sizes);
}
TEST_F(Style, FunctionsFitAScreen) {
  expect_clean(check_function_sizes);
}
TEST_F(Style, HeadersSayWhatTheyAreFor) {
  expect_clean(check_header);
}

TEST_F(Style, UnitTestsMirrorSources) {
  std::set<std::string> paths;
  for (const SourceFile& file : tree_) paths.insert(file.path());
  Findings findings;
  for (const SourceFile& file : tree_) check_mirrors_source(file, paths, findings);
  report(findings);
}

}  // namespace
}  // namespace stellwerk::style
