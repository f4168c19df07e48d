#include "api/daemon/json_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "api/daemon/one_line.h"

namespace stellwerk::daemon {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(JsonLog, TellsMessageAndFieldsApart) {
  const LogLine line =
      read_log_line("step ended step=ensure-disk took_ms=12 outcome=\"INTERNAL: a \\\"b\\\" c\"");
  EXPECT_EQ(line.message, "step ended");
  EXPECT_THAT(line.fields, ElementsAre(Pair("step", "ensure-disk"), Pair("took_ms", "12"),
                                       Pair("outcome", "INTERNAL: a \"b\" c")));
}

TEST(JsonLog, TakesALineWhoseEndIsNotAllFieldsAsOneMessage) {
  for (const char* text : {"", "plain", "refusing to start: x=1 is bad", "a b=\"open", "b=1",
                           "uid 0 was refused", "a b=1  c=2", "a b=\"x\"y c=1"}) {
    const LogLine line = read_log_line(text);
    EXPECT_EQ(line.message, text);
    EXPECT_THAT(line.fields, IsEmpty());
  }
}

TEST(JsonLog, ValuesCannotForgeFields) {
  const std::string evil = "x\" outcome=\"OK\\\" level=\"info\n{}";
  const LogLine line = read_log_line(fmt::format("answered error=\"{}\"", one_line(evil)));
  ASSERT_EQ(line.fields.size(), 1u);
  EXPECT_EQ(line.fields[0].first, "error");
}

TEST(JsonLog, LineHasTimeLevelMessageAndFields) {
  const WallTime time(std::chrono::seconds(1795410000) + std::chrono::microseconds(42));
  EXPECT_EQ(json_log_line(time, "warning", "commit failed sequence=7"),
            R"({"time":"2026-11-23T05:00:00.000042Z","level":"warning",)"
            R"("message":"commit failed","fields":{"sequence":"7"}})");
  EXPECT_EQ(json_log_line(time, "info", "plain"),
            R"({"time":"2026-11-23T05:00:00.000042Z","level":"info","message":"plain"})");
}

TEST(JsonLog, FieldsNamedLikeTheFrameDoNotReplaceIt) {
  const json line = json::parse(json_log_line(WallTime(), "info", "phase level=x message=\"y\""));
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["message"], "phase");
  EXPECT_EQ(line["fields"]["message"], "y");
}

RC_GTEST_PROP(JsonLog, IsOneValidObjectALineWhateverTheText, (const std::string& text)) {
  const std::string line = json_log_line(WallTime(), "info", text);
  RC_ASSERT(line.find('\n') == std::string::npos);
  const json parsed = json::parse(line);
  RC_ASSERT(parsed.is_object());
  RC_ASSERT(parsed.at("level") == "info");
}

TEST(JsonLog, IsWhatTheLoggerWrites) {
  std::ostringstream out;
  spdlog::logger logger("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  logger.set_formatter(make_json_formatter());
  logger.info("serving socket={}", "/run/x");
  logger.error("two\nlines \x1b \xff");
  std::istringstream lines(out.str());
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(json::parse(line)["fields"]["socket"], "/run/x");
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(json::parse(line)["level"], "error");
  EXPECT_EQ(json::parse(line)["message"], "two\nlines \x1b \uFFFD");
  EXPECT_FALSE(std::getline(lines, line));
}

}  // namespace
}  // namespace stellwerk::daemon
