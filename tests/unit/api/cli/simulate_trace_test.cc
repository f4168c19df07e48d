#include "api/cli/simulate_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>

#include <filesystem>
#include <fstream>

#include "../../../support/temporary_directory.h"
#include "api/cli/exit_code.h"

namespace stellwerk::cli {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kHeader =
    "arrival_s,departure_s,instance,project,vcpus,memory_mib,priority\n";

std::string packed(std::string_view text) {
  std::vector<uint8_t> bytes(lzma_stream_buffer_bound(text.size()));
  size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr,
                                    reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                    bytes.data(), &size, bytes.size()),
            LZMA_OK);
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

class TraceFile : public ::testing::Test {
 protected:
  std::string write(const std::string& name, std::string_view content) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  std::string why(const std::string& path, uint64_t most = kMostTraceBytes) {
    const auto trace = read_trace(path, most);
    EXPECT_EQ(exit_code_of(trace.status()), ExitCode::kUsage);
    return describe(trace.status());
  }

 private:
  testing::TemporaryDirectory folder_;
};

std::string many_rows(int count) {
  std::string text(kHeader);
  for (int i = 0; i < count; ++i) text += fmt::format("{},,vm-{},p,1,512,0\n", i, i);
  return text;
}

TEST_F(TraceFile, IsReadPlainAndPacked) {
  const std::string text = many_rows(60'000);  // more than a piece
  const auto plain = read_trace(write("t.csv", text));
  const auto unpacked = read_trace(write("t.csv.xz", packed(text)));
  ASSERT_TRUE(plain.ok()) << describe(plain.status());
  ASSERT_TRUE(unpacked.ok()) << describe(unpacked.status());
  EXPECT_EQ(plain->rows().size(), 60'000u);
  EXPECT_EQ(plain->rows(), unpacked->rows());
  EXPECT_EQ(unpacked->instance(59'999), "vm-59999");
}

TEST_F(TraceFile, OfSeveralStreamsIsReadAsOne) {
  const auto trace =
      read_trace(write("t.xz", packed(kHeader) + packed("0,,a,p,1,1,0\n1,,b,p,1,1,0")));
  ASSERT_TRUE(trace.ok()) << describe(trace.status());
  EXPECT_EQ(trace->rows().size(), 2u);
}

TEST_F(TraceFile, NeedsNoNewlineAtItsEnd) {
  EXPECT_EQ(read_trace(write("t.csv", std::string(kHeader) + "0,,a,p,1,1,0"))->rows().size(), 1u);
  EXPECT_EQ(read_trace(write("t.csv", std::string(kHeader) + "0,,a,p,1,1,0\r\n"))->rows().size(),
            1u);
}

TEST_F(TraceFile, MistakesNameFileAndLine) {
  const std::string path = write("t.csv", std::string(kHeader) + "0,,a,p,1,1,0\n0,,b,p,x,1,0\n");
  EXPECT_THAT(why(path), HasSubstr(path + ":3: vcpus: \"x\" is not a whole number"));
  EXPECT_THAT(why(write("t.csv", "")), HasSubstr("is empty"));
  EXPECT_THAT(why(write("t.csv", std::string(kHeader) + "0,,a,p,1,1,0\n\n")),
              HasSubstr(":3: is empty"));
}

TEST_F(TraceFile, CannotBeAbsentOrADirectory) {
  EXPECT_THAT(why("/nowhere/t.csv"), HasSubstr("cannot read \"/nowhere/t.csv\": No such file"));
  EXPECT_THAT(why("/nowhere/t.xz"), HasSubstr("No such file"));
  EXPECT_THAT(why("/tmp"), HasSubstr("it is a directory"));
}

TEST_F(TraceFile, DamagedIsRefused) {
  const std::string whole = packed(many_rows(5000));
  EXPECT_THAT(why(write("t.xz", whole.substr(0, whole.size() / 2))),
              HasSubstr("cannot decompress"));
  EXPECT_THAT(why(write("t.xz", whole.substr(0, whole.size() - 1))),
              HasSubstr("it ends too early"));
  std::string corrupt = whole;
  corrupt[whole.size() / 2] = static_cast<char>(corrupt[whole.size() / 2] ^ 0x55);
  EXPECT_THAT(why(write("t.xz", corrupt)), HasSubstr("its data are corrupt"));
  EXPECT_THAT(why(write("t.xz", many_rows(3))), HasSubstr("it is no xz file"));
  EXPECT_THAT(why(write("t.xz", "")), HasSubstr("it ends too early"));
  EXPECT_THAT(why(write("t.xz", whole + "rubbish at the end")), HasSubstr("cannot decompress"));
}

TEST_F(TraceFile, UnfoldsOnlySoFar) {
  const std::string text = many_rows(5000);
  EXPECT_THAT(why(write("t.xz", packed(text)), text.size() - 1), HasSubstr("bytes of text; cut"));
  EXPECT_TRUE(read_trace(write("t.xz", packed(text)), text.size()).ok());
  EXPECT_THAT(why(write("t.csv", text), 100), HasSubstr("more than 100 bytes"));
}

TEST_F(TraceFile, ALineWithoutEndIsNotKept) {
  EXPECT_THAT(why(write("t.csv", std::string(3 << 20, 'a'))), HasSubstr(":1: has "));
}

}  // namespace
}  // namespace stellwerk::cli
