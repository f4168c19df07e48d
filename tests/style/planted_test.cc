// The checker is itself checked: each rule fires on a small text that breaks it, names rule and
// line, and is quiet on the text that would do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rules.h"

namespace stellwerk::style {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Rule = void (*)(const SourceFile&, Findings&);

// "rule:line" of everything that the rule finds.
std::vector<std::string> found(Rule rule, std::string path, std::string text) {
  Findings findings;
  rule(SourceFile(std::move(path), std::move(text)), findings);
  std::vector<std::string> short_forms;
  for (const Finding& finding : findings) {
    short_forms.push_back(finding.rule + ":" + std::to_string(finding.line));
  }
  return short_forms;
}

TEST(SourceFile, TellsCodeCommentsAndLiteralsApart) {
  const SourceFile file("core/a.cc",
                        "int a = 1'000; // one\n"
                        "auto s = \"// \\\" two\"; /* three\n four */ char c = '\"';\n"
                        "auto r = R\"x(// five)\" )x\"; int b;\n");
  EXPECT_EQ(file.code(),
            "int a = 1'000;       \n"
            "auto s = \"         \";         \n         char c = ' ';\n"
            "auto r = R\"              \"; int b;\n");
  EXPECT_EQ(file.comments(),
            "               // one\n"
            "                      /* three\n four */              \n"
            "                                  \n");
}

TEST(SourceFile, KnowsTheLineOfAnOffset) {
  const SourceFile file("core/a.cc", "a\nb\n\nc");
  EXPECT_EQ(file.line_of(0), 1u);
  EXPECT_EQ(file.line_of(2), 2u);
  EXPECT_EQ(file.line_of(5), 4u);
}

TEST(SourceFile, AFindingNamesItsPlaceAndRule) {
  EXPECT_EQ(to_string({"clock", "core/a.cc", 7, "why"}), "core/a.cc:7: [clock] why");
}

struct Include {
  std::string_view from;
  std::string_view header;
};

void PrintTo(const Include& include, std::ostream* out) {
  *out << include.from << " includes " << include.header;
}

std::vector<std::string> found_for(const Include& include) {
  const std::string text = "// Why.\n#include \"" + std::string(include.header) + "\"\n";
  return found(check_layering, std::string(include.from), text);
}

class ForbiddenInclude : public testing::TestWithParam<Include> {};
TEST_P(ForbiddenInclude, IsFound) {
  EXPECT_THAT(found_for(GetParam()), ElementsAre("layering:2"));
}

INSTANTIATE_TEST_SUITE_P(
    Ours, ForbiddenInclude,
    testing::Values(Include{"core/a.h", "placement/rules.h"},
                    Include{"core/a.h", "api/server/gateway.h"},
                    Include{"placement/a.cc", "drivers/store/store.h"},
                    Include{"placement/a.cc", "orchestrator/records/keys.h"},
                    Include{"drivers/store/a.h", "drivers/store/sqlite/sqlite_store.h"},
                    Include{"drivers/store/a.h", "placement/rules.h"},
                    Include{"drivers/store/sqlite/a.cc", "drivers/store/memory/memory_store.h"},
                    Include{"drivers/store/sqlite/a.cc", "drivers/storage/storage.h"},
                    Include{"drivers/store/sqlite/a.cc", "orchestrator/records/records.h"},
                    Include{"orchestrator/controller/a.cc", "drivers/store/sqlite/schema.h"},
                    Include{"orchestrator/controller/a.cc", "orchestrator/agent/agent.h"},
                    Include{"orchestrator/agent/a.cc", "orchestrator/controller/controller.h"},
                    Include{"orchestrator/records/a.cc", "orchestrator/controller/controller.h"},
                    Include{"orchestrator/agent/a.cc", "api/server/gateway.h"},
                    Include{"api/server/a.cc", "drivers/store/sqlite/sqlite_store.h"},
                    Include{"api/server/a.cc", "api/daemon/config.h"},
                    Include{"api/server/a.cc", "tests/support/a.h"},
                    Include{"api/client/a.cc", "orchestrator/controller/controller.h"},
                    Include{"api/cli/a.cc", "api/server/server.h"},
                    Include{"api/cli/a.cc", "placement/engine.h"},
                    Include{"api/cli/a.cc", "placement/simulate/replay.h"},
                    Include{"placement/a.cc", "placement/simulate/replay.h"},
                    Include{"placement/simulate/a.cc", "api/cli/table.h"},
                    Include{"orchestrator/controller/a.cc", "placement/simulate/replay.h"}));

INSTANTIATE_TEST_SUITE_P(
    OfOthers, ForbiddenInclude,
    testing::Values(Include{"core/a.cc", "google/protobuf/message.h"},
                    Include{"core/a.cc", "spdlog/spdlog.h"},
                    Include{"placement/a.cc", "stellwerk/v1/instances.pb.h"},
                    Include{"orchestrator/controller/a.cc", "stellwerk/store/v1/records.pb.h"},
                    Include{"orchestrator/records/a.cc", "grpcpp/grpcpp.h"},
                    Include{"orchestrator/agent/a.cc", "boost/asio.hpp"},
                    Include{"orchestrator/agent/a.cc", "libvirt/libvirt.h"},
                    Include{"drivers/hypervisor/a.h", "libvirt/libvirt.h"},
                    Include{"drivers/storage/local/a.cc", "sqlite3.h"},
                    Include{"drivers/storage/local/a.cc", "rados/librados.h"},
                    Include{"drivers/store/sqlite/a.cc", "pugixml.hpp"},
                    Include{"drivers/store/sqlite/a.cc", "archive.h"},
                    Include{"drivers/store/sqlite/a.cc", "netlink/route/link.h"},
                    Include{"api/server/a.cc", "toml++/toml.h"},
                    Include{"placement/simulate/a.cc", "toml++/toml.h"},
                    Include{"placement/simulate/a.cc", "lzma.h"},
                    Include{"api/server/a.cc", "CLI/CLI.hpp"}));

class AllowedInclude : public testing::TestWithParam<Include> {};
TEST_P(AllowedInclude, IsQuiet) {
  EXPECT_THAT(found_for(GetParam()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Layering, AllowedInclude,
    testing::Values(Include{"core/a.cc", "core/ids.h"},
                    Include{"core/a.cc", "absl/status/status.h"},
                    Include{"placement/a.cc", "core/model.h"},
                    Include{"drivers/store/sqlite/a.cc", "drivers/store/store.h"},
                    Include{"drivers/store/sqlite/a.cc", "drivers/store/sqlite/schema.h"},
                    Include{"drivers/store/sqlite/a.cc", "sqlite3.h"},
                    Include{"orchestrator/controller/a.cc", "orchestrator/records/records.h"},
                    Include{"orchestrator/agent/a.cc", "orchestrator/records/records.h"},
                    Include{"orchestrator/controller/a.cc", "drivers/store/store.h"},
                    Include{"orchestrator/records/a.cc", "stellwerk/store/v1/records.pb.h"},
                    Include{"api/server/a.cc", "orchestrator/controller/controller.h"},
                    Include{"api/cli/a.cc", "api/client/client.h"},
                    Include{"api/cli/simulate.cc", "placement/simulate/replay.h"},
                    Include{"api/cli/simulate_trace.cc", "lzma.h"},
                    Include{"placement/simulate/a.cc", "placement/engine.h"},
                    Include{"api/cli/a.cc", "stellwerk/v1/instances.grpc.pb.h"},
                    Include{"api/daemon/a.cc", "drivers/store/sqlite/sqlite_store.h"},
                    Include{"tests/sim/a.cc", "drivers/store/memory/memory_store.h"}));

TEST(Layering, AnIncludeInACommentIsNone) {
  EXPECT_THAT(found(check_layering, "core/a.h", "/*\n#include \"api/a.h\"\n*/\n"), IsEmpty());
}

struct Planted {
  std::string_view rule;
  std::string_view path;
  std::string_view line;
};

void PrintTo(const Planted& planted, std::ostream* out) {
  *out << planted.path << ": " << planted.line;
}

class Banned : public testing::TestWithParam<Planted> {};
TEST_P(Banned, IsFoundWithItsLine) {
  const std::string text = "int first;\n" + std::string(GetParam().line) + "\n";
  EXPECT_THAT(found(check_banned, std::string(GetParam().path), text),
              ElementsAre(std::string(GetParam().rule) + ":2"));
}

INSTANTIATE_TEST_SUITE_P(
    TimeAndChance, Banned,
    testing::Values(Planted{"clock", "core/ids.cc", "auto t = std::chrono::system_clock::now();"},
                    Planted{"clock", "api/server/a.cc", "auto t = steady_clock::now();"},
                    Planted{"clock", "api/server/a.cc", "auto t = time(nullptr);"},
                    Planted{"clock", "api/server/a.cc", "auto t = std::time(&x);"},
                    Planted{"clock", "tests/sim/a.cc", "clock_gettime(CLOCK_REALTIME, &t);"},
                    Planted{"clock", "core/time.h", "gettimeofday(&t, nullptr);"},
                    Planted{"random", "core/a.cc", "int x = std::rand();"},
                    Planted{"random", "tests/sim/a.cc", "std::random_device device;"},
                    Planted{"random", "api/server/a.cc", "getrandom(p, 16, 0);"},
                    Planted{"random", "drivers/store/sqlite/a.cc", "uuid_generate_random(bytes);"},
                    Planted{"sleep", "tests/e2e/a.cc", "std::this_thread::sleep_for(pause);"},
                    Planted{"sleep", "tests/e2e/a.cc", "usleep(10);"},
                    Planted{"hash-order", "placement/a.h", "std::unordered_map<int, int> map;"},
                    Planted{"hash-order", "orchestrator/controller/a.h",
                            "absl::flat_hash_set<int> set;"},
                    Planted{"hash-order", "orchestrator/agent/a.h", "std::unordered_set<int> set;"},
                    Planted{"hash-order", "tests/sim/a.h", "absl::node_hash_map<int, int> map;"}));

INSTANTIATE_TEST_SUITE_P(
    Words, Banned,
    testing::Values(Planted{"output", "core/a.cc", "std::cout << 1;"},
                    Planted{"output", "api/daemon/wiring.cc", "std::cerr << 1;"},
                    Planted{"output", "drivers/storage/local/a.cc", "fprintf(stderr, text);"},
                    Planted{"using-namespace", "tests/sim/a.cc", "using namespace controller;"},
                    Planted{"using-namespace", "core/a.cc", "using namespace std;"},
                    Planted{"unfinished", "core/a.cc",
                            "int x;  // TO"
                            "DO: later"},
                    Planted{"unfinished", "core/a.cc",
                            "/* FIX"
                            "ME */"},
                    Planted{"banner", "core/a.cc", "// ======== Fields ========"},
                    Planted{"banner", "core/a.cc", "//----------"},
                    Planted{"name", "core/a.h", "class HostManager {"},
                    Planted{"name", "core/a.h", "struct StringUtils;"},
                    Planted{"raw-memory", "core/a.cc", "int* p = new int(7);"},
                    Planted{"raw-memory", "core/a.cc", "auto* p = new std::string;"},
                    Planted{"raw-memory", "core/a.cc", "delete p;"},
                    Planted{"raw-memory", "core/a.cc", "delete[] p;"},
                    Planted{"raw-memory", "api/server/a.cc",
                            "void OnDone() override { delete this; }"}));

class NotBanned : public testing::TestWithParam<Planted> {};
TEST_P(NotBanned, IsQuiet) {
  EXPECT_THAT(found(check_banned, std::string(GetParam().path), std::string(GetParam().line)),
              IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Exempt, NotBanned,
    testing::Values(
        Planted{"clock", "core/time.cc", "clock_gettime(id, &value);"},
        Planted{"clock", "core/a.cc", "// not steady_clock::now()"},
        Planted{"clock", "core/a.cc", "const char* text = \"time(nullptr)\";"},
        Planted{"clock", "core/a.cc", "auto t = create_time(0);"},
        Planted{"random", "api/daemon/identity.cc", "uuid_generate_random(bytes);"},
        Planted{"random", "core/ids.cc", "uuid_generate_sha1(a, b, c, d);"},
        Planted{"random", "core/a.cc", "int operand(int);"},
        Planted{"sleep", "api/client/a.cc", "std::this_thread::sleep_for(pause);"},
        Planted{"hash-order", "api/server/a.h", "std::unordered_map<int, int> map;"},
        Planted{"output", "api/cli/print.cc", "std::cout << 1;"},
        Planted{"output", "api/daemon/main.cc", "std::cerr << 1;"},
        Planted{"output", "core/a.cc", "snprintf(text, size, form);"},
        Planted{"using-namespace", "core/a.cc", "using namespace std::chrono_literals;"},
        Planted{"using-namespace", "core/a.cc", "using namespace std::literals::string_literals;"},
        Planted{"name", "core/a.h", "struct Utility {};"},
        Planted{"raw-memory", "core/a.cc", "std::unique_ptr<A> a(\n    new A(1));"},
        Planted{"raw-memory", "core/a.h", "A(const A&) = delete;"},
        Planted{"raw-memory", "core/a.cc", "bool deleted = is_deleted(new_name);"},
        Planted{"raw-memory", "api/server/refusal.cc", "delete this;"}));

TEST(Sizes, FindsLongLinesInColumnsNotBytes) {
  const std::string umlauts = "// " + std::string(97, 'x');
  std::string wide = "// ";
  for (int i = 0; i < 97; ++i) wide += "ü";
  EXPECT_THAT(found(check_sizes, "core/a.cc", umlauts + "\n" + wide + "\n"), IsEmpty());
  EXPECT_THAT(found(check_sizes, "core/a.cc", "\n" + umlauts + "x\n"), ElementsAre("columns:2"));
  EXPECT_THAT(found(check_sizes, "docs/a.md", umlauts + "x\n"), IsEmpty());
}

std::string lines(size_t count, std::string_view line) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += std::string(line) + "\n";
  return text;
}

TEST(Sizes, FindsLongFiles) {
  EXPECT_THAT(found(check_sizes, "core/a.cc", lines(500, "int x;")), IsEmpty());
  EXPECT_THAT(found(check_sizes, "core/a.cc", lines(501, "int x;")), ElementsAre("file-lines:501"));
}

TEST(Sizes, FindsLargeFilesOfAnyKind) {
  EXPECT_THAT(found(check_sizes, "tests/data/a.img", std::string(1'000'000, 'x')), IsEmpty());
  EXPECT_THAT(found(check_sizes, "tests/data/a.img", std::string(1'000'001, 'x')),
              ElementsAre("file-bytes:1"));
}

TEST(FunctionSizes, FindsAFunctionOfSixtyOneLines) {
  const auto function = [](size_t body) {
    return "namespace a {\n\nint f(int x) {\n" + lines(body, "  if (x) { x = 1; }") + "}\n}\n";
  };
  EXPECT_THAT(found(check_function_sizes, "core/a.cc", function(58)), IsEmpty());
  EXPECT_THAT(found(check_function_sizes, "core/a.cc", function(59)),
              ElementsAre("function-lines:3"));
}

TEST(FunctionSizes, FindsLongMethodsConstructorsAndTests) {
  const std::string body = lines(60, "  work();");
  EXPECT_THAT(found(check_function_sizes, "core/a.h",
                    "class A : public B {\n public:\n  A() : x_{1}, y_(2) {\n" + body +
                        "  }\n  void g() const override {\n" + body + "  }\n int x_{0};\n};\n"),
              ElementsAre("function-lines:3", "function-lines:65"));
  EXPECT_THAT(found(check_function_sizes, "tests/a.cc", "TEST(A, Works) {\n" + body + "}\n"),
              ElementsAre("function-lines:1"));
  EXPECT_THAT(found(check_function_sizes, "core/a.h",
                    "template <class T, class U>\nT f(\n    U u) {\n" + body + "}\n"),
              ElementsAre("function-lines:1"));
}

TEST(FunctionSizes, LeavesTypesTablesAndMacrosAlone) {
  EXPECT_THAT(found(check_function_sizes, "core/a.h",
                    "struct A {\n" + lines(70, "  int f() { return 1; }") + "};\n" +
                        "enum class E {\n" + lines(70, "  kValue,") + "};\n" +
                        "constexpr int kTable[] = {\n" + lines(70, "  1,") + "};\n"),
              IsEmpty());
  EXPECT_THAT(found(check_function_sizes, "core/a.h",
                    "#define OPEN \\\n  {\nint f() { return 1; }\n" + lines(70, "int x();")),
              IsEmpty());
}

TEST(Header, MustSayItsPurposeAndGuardItself) {
  EXPECT_THAT(found(check_header, "core/a.h", "// Why.\n#pragma once\n"), IsEmpty());
  EXPECT_THAT(found(check_header, "core/a.h", "#pragma once\n"), ElementsAre("header-purpose:1"));
  EXPECT_THAT(found(check_header, "core/a.h", "// Why.\n// #pragma once\n"),
              ElementsAre("pragma-once:1"));
  EXPECT_THAT(found(check_header, "core/a.cc", "int x;\n"), IsEmpty());
}

bool mirrors(std::string path, std::set<std::string> sources) {
  Findings findings;
  check_mirrors_source(SourceFile(std::move(path), ""), sources, findings);
  return findings.empty();
}

TEST(Mirror, AUnitTestIsNamedAfterASourceOrAFolderOfSources) {
  EXPECT_TRUE(mirrors("tests/unit/core/ids_test.cc", {"core/ids.h"}));
  EXPECT_TRUE(mirrors("tests/unit/core/ids_text_test.cc", {"core/ids.cc"}));
  EXPECT_TRUE(
      mirrors("tests/unit/drivers/store/schema_test.cc", {"drivers/store/sqlite/schema.h"}));
  EXPECT_TRUE(
      mirrors("tests/unit/drivers/store/sqlite_full_test.cc", {"drivers/store/sqlite/schema.h"}));
  EXPECT_FALSE(mirrors("tests/unit/core/gone_test.cc", {"core/ids.h", "core/gone.md"}));
  EXPECT_FALSE(mirrors("tests/unit/core/idsy_test.cc", {"core/ids.h"}));
  EXPECT_FALSE(mirrors("tests/unit/placement/ids_test.cc", {"core/ids.h"}));
  EXPECT_TRUE(mirrors("tests/sim/sim_test.cc", {"core/ids.h"}));
}

}  // namespace
}  // namespace stellwerk::style
