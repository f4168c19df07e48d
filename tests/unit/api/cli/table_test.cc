#include "api/cli/table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "api/cli/progress.h"

namespace stellwerk::cli {
namespace {

std::string printed(const Table& table, bool colour) {
  std::ostringstream out;
  table.print(out, colour);
  return out.str();
}

TEST(Table, AlignsColumnsAndLeavesNoBlanksAtTheEnd) {
  Table table({"NAME", "PHASE", "IP"});
  table.add({"web-1", "RUNNING", "10.64.0.2"});
  table.add({"database-12", "STOPPED", ""});
  EXPECT_EQ(printed(table, false),
            "NAME          PHASE     IP\n"
            "web-1         RUNNING   10.64.0.2\n"
            "database-12   STOPPED\n");
}

TEST(Table, CountsColumnsOfTheTerminalNotBytes) {
  Table table({"A", "B"});
  table.add({"Köln", "1"});
  table.add({"東京", "2"});
  table.add({"e\u0301a", "3"});  // e and a combining accent
  EXPECT_EQ(printed(table, false),
            "A      B\n"
            "Köln   1\n"
            "東京   2\n"
            "e\u0301a     3\n");
}

TEST(Table, ColoursWithoutDisturbingTheAlignment) {
  Table table({"PHASE", "IP"});
  table.add({Cell("RUNNING", Style::kGood), "x"});
  EXPECT_EQ(printed(table, true), "PHASE     IP\n\x1b[32mRUNNING\x1b[0m   x\n");
  EXPECT_EQ(printed(table, false), "PHASE     IP\nRUNNING   x\n");
}

TEST(Table, EscapesHostileCells) {
  Table table({"A", "B"});
  table.add({"\x1b]0;owned\x07\n", "x"});
  EXPECT_EQ(printed(table, false),
            "A                    B\n"
            "\\x1b]0;owned\\x07\\n   x\n");
}

TEST(FittingPart, IsCutBetweenCharacters) {
  EXPECT_EQ(fitting_part("Köln", 4), "Köln");
  EXPECT_EQ(fitting_part("Köln", 2), "Kö");
  EXPECT_EQ(fitting_part("東京", 3), "東");
  EXPECT_EQ(fitting_part("e\u0301a", 1), "e\u0301");
  EXPECT_EQ(fitting_part("abc", 0), "");
}

TEST(KeyValues, LeavesOutWhatIsEmpty) {
  std::ostringstream out;
  print_key_values(out, {{"Name", "web-1"}, {"Reason", ""}, {"Memory", "2 GiB"}}, false);
  EXPECT_EQ(out.str(), "Name:     web-1\nMemory:   2 GiB\n");
}

TEST(ProgressBar, FillsWithTheShareDone) {
  EXPECT_EQ(progress_bar(0, 10, 10), "[>         ]   0 %");
  EXPECT_EQ(progress_bar(5, 10, 10), "[=====>    ]  50 %");
  EXPECT_EQ(progress_bar(10, 10, 10), "[==========] 100 %");
  EXPECT_EQ(progress_bar(20, 10, 10), "[==========] 100 %");
}

TEST(ProgressLine, IsRewrittenInPlaceOnATerminalAndTakenAway) {
  std::ostringstream err;
  {
    ProgressLine line(err, {.terminal = true, .colour = true, .width = {}});
    line.show("web-1: ", Cell("STARTING", Style::kBusy), " (1 s)");
    line.show("web-1: ", Cell("STARTING", Style::kBusy), " (2 s)");
  }
  EXPECT_EQ(err.str(),
            "\r\x1b[K| web-1: \x1b[33mSTARTING\x1b[0m (1 s)"
            "\r\x1b[K/ web-1: \x1b[33mSTARTING\x1b[0m (2 s)"
            "\r\x1b[K");
}

// A line that wraps could not be taken away: the terminal clears its last row only.
TEST(ProgressLine, NeverIsWiderThanTheTerminal) {
  const auto shown = [](size_t width) {
    std::ostringstream err;
    ProgressLine line(err, {.terminal = true, .colour = true, .width = [width] { return width; }});
    line.show("wéb: ", Cell("STARTING", Style::kBusy), " 東京 (1 s)");
    return err.str();
  };
  EXPECT_EQ(shown(27), "\r\x1b[K| wéb: \x1b[33mSTARTING\x1b[0m 東京 (1 s)");
  EXPECT_EQ(shown(26), "\r\x1b[K| wéb: \x1b[33mSTARTING\x1b[0m 東京 (1 s");
  EXPECT_EQ(shown(20), "\r\x1b[K| wéb: \x1b[33mSTARTING\x1b[0m 東");
  EXPECT_EQ(shown(19), "\r\x1b[K| wéb: \x1b[33mSTARTING\x1b[0m 東");
  EXPECT_EQ(shown(18), "\r\x1b[K| wéb: \x1b[33mSTARTING\x1b[0m ");
  EXPECT_EQ(shown(10), "\r\x1b[K| wéb: \x1b[33mST\x1b[0m");
  EXPECT_EQ(shown(4), "\r\x1b[K| w");
  EXPECT_EQ(shown(1), "\r\x1b[K");
}

TEST(ProgressLine, TakesATerminalOfUnknownWidthForOneOf80Columns) {
  std::ostringstream err;
  ProgressLine line(err, {.terminal = true, .colour = false, .width = [] { return size_t{0}; }});
  line.show("", "", std::string(200, 'x'));
  EXPECT_EQ(err.str(), "\r\x1b[K| " + std::string(77, 'x'));
}

TEST(ProgressLine, WritesOnePlainLineAStateElsewhere) {
  std::ostringstream err;
  {
    ProgressLine line(err, {.terminal = false, .colour = false, .width = {}});
    line.show("web-1: ", "STARTING", " (1 s)");
    line.show("web-1: ", "STARTING", " (2 s)");
    line.show("web-1: ", "RUNNING", " (3 s)");
  }
  EXPECT_EQ(err.str(), "web-1: STARTING (1 s)\nweb-1: RUNNING (3 s)\n");
}

}  // namespace
}  // namespace stellwerk::cli
