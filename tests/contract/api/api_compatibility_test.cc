// v1 as it is now against v1 as it was committed in v1.descriptor. To record additions:
//
//     STELLWERK_RECORD_API=1 build/bin/api_compatibility_test
//
// A breaking change is not recorded that way: it belongs in v2, or, as long as nobody uses v1, in a
// v1.descriptor that was deleted first and is reviewed as a whole.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <regex>

#include "outline.h"

namespace stellwerk::api_contract {
namespace {

constexpr char kPackage[] = "stellwerk.v1";
constexpr char kRecord[] = "STELLWERK_RECORD_API=1 build/bin/api_compatibility_test";

Outline current() {
  google::protobuf::FileDescriptorSet files;
  std::ifstream in(STELLWERK_API_DESCRIPTORS, std::ios::binary);
  EXPECT_TRUE(files.ParseFromIstream(&in)) << STELLWERK_API_DESCRIPTORS;
  return outline_of(files, kPackage);
}

Outline committed() {
  Outline lines;
  std::ifstream in(STELLWERK_API_COMMITTED);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

void record(const Outline& outline) {
  std::ofstream out(STELLWERK_API_COMMITTED, std::ios::trunc);
  for (const std::string& line : outline) out << line << '\n';
  out.close();
  ASSERT_TRUE(out.good()) << "cannot write " << STELLWERK_API_COMMITTED;
}

TEST(ApiCompatibility, OldClientsStillWork) {
  for (const std::string& change : compare(committed(), current()).breaking) {
    ADD_FAILURE() << "breaks clients of v1: " << change;
  }
}

TEST(ApiCompatibility, AdditionsAreRecorded) {
  const bool asked_to_record = std::getenv("STELLWERK_RECORD_API") != nullptr;
  if (asked_to_record && compare(committed(), current()).breaking.empty()) {
    ASSERT_NO_FATAL_FAILURE(record(current()));
  }
  const Outline additions = compare(committed(), current()).additions;
  EXPECT_TRUE(additions.empty()) << fmt::format("v1.descriptor lacks\n  {}\nrecord with: {}",
                                                fmt::join(additions, "\n  "), kRecord);
}

TEST(ApiCompatibility, KnowsTheWholeApi) {
  const Outline now = current();
  for (const char* service : {"Instances", "Images", "Flavors", "Hosts", "Projects", "Events"}) {
    EXPECT_NE(std::find(now.begin(), now.end(), fmt::format("service stellwerk.v1.{}:", service)),
              now.end())
        << service;
  }
}

// Of an outline's line: "field stellwerk.v1.Host 3: name=memory_bytes type=int64 …".
std::string value_in(const std::string& line, const std::string& key) {
  const size_t begin = line.find(" " + key + "=");
  if (begin == std::string::npos) return "";
  const size_t value = begin + key.size() + 2;
  return line.substr(value, line.find(' ', value) - value);
}

TEST(ApiNames, NumbersSayTheirUnitAndTimesAreTimestamps) {
  const std::regex quantity("(^|_)(memory|disk|size|power|ram|storage|capacity|length)(_|$)");
  const std::regex unit("_(bytes|mib|watts)$");
  const std::regex time("(^|_)time$");
  int quantities = 0;
  int times = 0;
  for (const std::string& line : current()) {
    if (!line.starts_with("field ")) continue;
    const std::string name = value_in(line, "name");
    const std::string type = value_in(line, "type");
    const bool number = type.starts_with("int") || type.starts_with("uint") || type == "double";
    if (number && name != "page_size" && std::regex_search(name, quantity)) {
      ++quantities;
      EXPECT_TRUE(std::regex_search(name, unit)) << line;
    }
    if (std::regex_search(name, time)) {
      ++times;
      EXPECT_EQ(type, "google.protobuf.Timestamp") << line;
    }
  }
  EXPECT_GT(quantities, 5);
  EXPECT_GT(times, 5);
}

}  // namespace
}  // namespace stellwerk::api_contract
