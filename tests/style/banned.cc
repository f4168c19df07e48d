#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "rules.h"

namespace stellwerk::style {
namespace {

enum class View { kCode, kComments };

struct Ban {
  std::string_view rule;
  View view;
  // Cheap: the pattern is tried only where one of these words occurs.
  std::vector<std::string_view> words;
  std::string_view pattern;
  // Folders or files in which the ban holds (empty: everywhere) and those that are exempt.
  std::vector<std::string_view> where;
  std::vector<std::string_view> except;
  std::string_view advice;
};

// A word that this file may spell only in pieces.
constexpr std::string_view kUnfinished = R"(\b(TO)"
                                         R"(DO|FIX)"
                                         R"(ME)\b)";

const std::vector<std::string_view> kProduct = {"core", "placement", "drivers", "orchestrator",
                                                "api"};
const std::vector<std::string_view> kDeterministic = {"placement", "orchestrator/controller",
                                                      "orchestrator/agent", "tests/sim"};

std::vector<Ban> bans_on_time_and_chance() {
  return {
      {"clock",
       View::kCode,
       {"_clock", "time", "clock_gettime"},
       R"(\b(system|steady|high_resolution)_clock::now\b|)"
       R"(\btime\s*\(\s*(nullptr|NULL|0|&)|\b(clock_gettime|gettimeofday|timespec_get)\s*\()",
       {},
       {"core/time.cc"},
       "time is an argument; shells ask core's SystemClock"},
      {"random",
       View::kCode,
       {"rand", "uuid_generate", "RAND_bytes"},
       R"(\bs?rand\s*\(|\brandom_device\b|\bgetrandom\s*\(|\barc4random\w*\s*\(|\bRAND_bytes\s*\(|)"
       R"(\buuid_generate(_random|_time)?\s*\()",
       {},
       {"api/client/request_id.cc", "api/daemon"},
       "randomness is an argument; only the composition root and clients draw it"},
      {"sleep",
       View::kCode,
       {"sleep"},
       R"(\b(sleep_for|sleep_until|sleep|usleep|nanosleep|clock_nanosleep)\s*\()",
       {"tests"},
       {},
       "poll with a deadline"},
      {"hash-order",
       View::kCode,
       {"unordered_", "flat_hash_", "node_hash_"},
       R"(\bunordered_(multi)?(map|set)\b|\b(flat|node)_hash_(map|set)\b)",
       kDeterministic,
       {"placement/host_numbers.h"},
       "their order differs between runs; use std::map, std::set or a vector"},
  };
}

std::vector<Ban> bans_on_words() {
  return {
      {"output",
       View::kCode,
       {"std::cout", "std::cerr", "printf", "puts"},
       R"(\bstd::(cout|cerr|clog)\b|\b(std::)?f?(printf|puts)\s*\()",
       kProduct,
       {"api/cli", "api/daemon/main.cc"},
       "log by spdlog, or return a value"},
      {"using-namespace",
       View::kCode,
       {"using namespace"},
       R"(\busing\s+namespace\s+(?!std::(\w+::)*\w*literals\b))",
       {},
       {},
       "name what is used; only std's literals may come as a whole"},
      {"unfinished",
       View::kComments,
       {"DO", "ME"},
       kUnfinished,
       {},
       {},
       "finish it or file an issue"},
      {"banner",
       View::kComments,
       {"//"},
       R"(//\s*[-=*#~_]{4,})",
       {},
       {},
       "comments say why; a file needs no banners"},
      {"name",
       View::kCode,
       {"class ", "struct "},
       R"(\b(class|struct)\s+\w*(Manager|Helper|Helpers|Util|Utils|Impl)\b)",
       {},
       {},
       "name what it is in the words of the field"},
  };
}

const std::vector<Ban>& bans() {
  static const std::vector<Ban> all = [] {
    std::vector<Ban> bans = bans_on_time_and_chance();
    for (Ban& ban : bans_on_words()) bans.push_back(std::move(ban));
    return bans;
  }();
  return all;
}

bool listed(const SourceFile& file, const std::vector<std::string_view>& places) {
  return std::any_of(places.begin(), places.end(), [&](std::string_view place) {
    return file.path() == place || file.under(place);
  });
}

void check_ban(const SourceFile& file, const Ban& ban, Findings& findings) {
  if (!ban.where.empty() && !listed(file, ban.where)) return;
  if (listed(file, ban.except)) return;
  const std::regex pattern{std::string(ban.pattern)};
  size_t number = 0;
  for (const std::string_view line :
       lines_of(ban.view == View::kCode ? file.code() : file.comments())) {
    ++number;
    const bool worth_a_look = std::any_of(
        ban.words.begin(), ban.words.end(),
        [&](std::string_view word) { return line.find(word) != std::string_view::npos; });
    if (!worth_a_look || !std::regex_search(line.begin(), line.end(), pattern)) continue;
    findings.push_back({std::string(ban.rule), file.path(), number, std::string(ban.advice)});
  }
}

// Where a library owns our object: gRPC's reactors delete themselves when it is done with them,
// libvirt calls back to free what it was handed.
const std::vector<std::string_view> kOwnedByLibraries = {
    "api/server/refusal.cc", "drivers/hypervisor/libvirt/connection.cc"};

// `new` may stand only where the same statement hands the object to a smart pointer, which private
// constructors need; `delete` of an object nowhere.
void check_raw_memory(const SourceFile& file, Findings& findings) {
  if (listed(file, kOwnedByLibraries)) return;
  static const std::regex pattern(R"(\bnew\s+[A-Za-z_:(]|\bdelete\b\s*(\[\s*\]\s*)?[A-Za-z_(*])");
  const std::string& code = file.code();
  for (auto found = std::sregex_iterator(code.begin(), code.end(), pattern);
       found != std::sregex_iterator(); ++found) {
    const size_t at = found->position();
    const size_t before = code.find_last_of(";{}", at);
    const size_t begin = before == std::string::npos ? 0 : before + 1;
    const std::string_view statement = std::string_view(code).substr(begin, at - begin);
    const bool owned = code[at] == 'n' && statement.find("_ptr<") != std::string_view::npos;
    if (owned || statement.find("operator") != std::string_view::npos) continue;
    findings.push_back({"raw-memory", file.path(), file.line_of(at),
                        "own it by unique_ptr or a container from the first moment"});
  }
}

}  // namespace

void check_banned(const SourceFile& file, Findings& findings) {
  if (!file.is_cpp()) return;
  for (const Ban& ban : bans()) check_ban(file, ban, findings);
  check_raw_memory(file, findings);
}

}  // namespace stellwerk::style
