#include "api/cli/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

namespace stellwerk::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::ordered_json;

TEST(Yaml, KeepsTheOrderAndTheShapeOfTheDocument) {
  EXPECT_EQ(yaml_of_json(R"({"name":"projects/p/instances/web-1","ports":[{"ip":"10.64.0.2"}],)"
                         R"("labels":{},"sshKeys":[],"ready":true,"vcpus":2,"none":null})"),
            "name: projects/p/instances/web-1\n"
            "ports:\n"
            "  - ip: \"10.64.0.2\"\n"
            "labels: {}\n"
            "sshKeys: []\n"
            "ready: true\n"
            "vcpus: 2\n"
            "none: ~");
}

TEST(Yaml, OfAnEmptyListIsAnEmptyList) {
  EXPECT_EQ(yaml_of_json("[]"), "[]");
}

TEST(Yaml, QuotesWhatAReaderCouldTakeForSomethingElse) {
  for (const std::string text : {"yes",  "No",    "ON",       "off",        "y",
                                 "N",    "true",  "False",    "null",       "Null",
                                 "~",    "",      "1",        "-1",         "+7",
                                 "1.5",  ".5",    "1e3",      "0x1f",       "0o17",
                                 "017",  "1_000", "12:30:45", "2026-11-23", "2026-11-23T04:50:50Z",
                                 ".inf", "-.INF", ".nan",     "<<",         "=",
                                 "a: b", "# no",  "- a",      "*a",         "&a",
                                 "!tag", "%d",    "@a",       "`a",         "{a",
                                 "[a",   "a ",    " a",       "a,b",        "'a'",
                                 "\"a\""}) {
    const std::string yaml = yaml_of_json(Json{{"v", text}}.dump());
    EXPECT_THAT(yaml, ::testing::StartsWith("v: \"")) << text;
    EXPECT_EQ(YAML::Load(yaml)["v"].as<std::string>(), text) << yaml;
  }
}

TEST(Yaml, QuotesKeysLikeValues) {
  const std::string yaml = yaml_of_json(R"({"labels":{"yes":"a","12":"b","a b":"c"}})");
  EXPECT_EQ(yaml, "labels:\n  \"yes\": a\n  \"12\": b\n  \"a b\": c");
}

TEST(Yaml, NothingInItSteersATerminal) {
  const std::string json = R"({"m":"a\u001b[2Jb\u0007\u009b\u202e\u200b","n":"Köln\nzwei"})";
  const std::string yaml = yaml_of_json(json);
  for (const char* raw : {"\x1b", "\x07", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\x8b"}) {
    EXPECT_THAT(yaml, Not(HasSubstr(raw)));
  }
  const YAML::Node node = YAML::Load(yaml);
  EXPECT_EQ(node["m"].as<std::string>(), Json::parse(json)["m"].get<std::string>());
  EXPECT_EQ(node["n"].as<std::string>(), "Köln\nzwei");
  EXPECT_THAT(yaml, HasSubstr("K"));
}

// A plain scalar has the tag "?", a quoted one "!".
RC_GTEST_PROP(Yaml, ComesBackAsItWas, (const std::vector<std::string>& words)) {
  Json json = Json::array();
  for (const std::string& word : words) {
    std::string ascii;
    for (const char c : word) ascii += static_cast<char>(c & 0x7f);
    json.push_back(ascii);
  }
  const YAML::Node node = YAML::Load(yaml_of_json(json.dump()));
  RC_ASSERT(node.size() == json.size());
  for (size_t i = 0; i < json.size(); ++i) {
    RC_ASSERT(node[i].as<std::string>() == json[i].get<std::string>());
    int number = 0;
    RC_ASSERT(node[i].Tag() == "!" || !YAML::convert<int>::decode(node[i], number));
  }
}

}  // namespace
}  // namespace stellwerk::cli
