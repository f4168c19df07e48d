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
    ProgressLine line(err, true, true);
    line.show("web-1: ", Cell("STARTING", Style::kBusy), " (1 s)");
    line.show("web-1: ", Cell("STARTING", Style::kBusy), " (2 s)");
  }
  EXPECT_EQ(err.str(),
            "\r\x1b[K| web-1: \x1b[33mSTARTING\x1b[0m (1 s)"
            "\r\x1b[K/ web-1: \x1b[33mSTARTING\x1b[0m (2 s)"
            "\r\x1b[K");
}

TEST(ProgressLine, WritesOnePlainLineAStateElsewhere) {
  std::ostringstream err;
  {
    ProgressLine line(err, false, false);
    line.show("web-1: ", "STARTING", " (1 s)");
    line.show("web-1: ", "STARTING", " (2 s)");
    line.show("web-1: ", "RUNNING", " (3 s)");
  }
  EXPECT_EQ(err.str(), "web-1: STARTING (1 s)\nweb-1: RUNNING (3 s)\n");
}

}  // namespace
}  // namespace stellwerk::cli
