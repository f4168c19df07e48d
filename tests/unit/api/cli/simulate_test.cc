#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Simulate : public CliTest {
 protected:
  Simulate() {
    trace = write_file("t.csv",
                       "arrival_s,departure_s,instance,project,vcpus,memory_mib,priority\n"
                       "0,100,a,p,4,1024,0\n10,60,b,p,4,1024,0\n100,,c,p,1,1024,0\n");
    report = write_file("report.json", "");
  }

  Ran simulate(std::vector<std::string> more, bool generated = true) {
    std::vector<std::string> words = {"simulate", "--trace", trace, "--report", report};
    if (generated) {
      words.insert(words.end(), {"--hosts", "1", "--host-vcpus", "4", "--host-memory-mib", "8192"});
    }
    words.insert(words.end(), more.begin(), more.end());
    return run_bare(words);
  }
  nlohmann::json written() const {
    std::ifstream file(report);
    return nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  }

  std::string trace;
  std::string report;
};

TEST_F(Simulate, WritesAReportAndTellsPeople) {
  const Ran ran = simulate({});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, IsEmpty());
  EXPECT_THAT(ran.out, AllOf(HasSubstr("Placed:"), HasSubstr("1 vcpus"), HasSubstr("Stranded:"),
                             HasSubstr("1 hosts in 1 racks of 1 sites")));
  const nlohmann::json json = written();
  EXPECT_EQ(json["placed"], 2);
  EXPECT_EQ(json["rejected"], 1);
  EXPECT_EQ(json["rejections"]["vcpus"], 1);
  EXPECT_EQ(json["rejected_vcpu_seconds"], 200.0);
  EXPECT_EQ(json["policy"], "default");
  EXPECT_EQ(json["failover"], "none");
  EXPECT_EQ(json["on_full"], "reject");
  EXPECT_EQ(json["trace"], trace);
  EXPECT_TRUE(json["fleet"]["file"].is_null());
  EXPECT_EQ(json["fleet"]["hosts"], 1);
  EXPECT_EQ(json["rows"]["count"], 3);
  for (const char* key : {"rejected_vcpu_fraction", "time_avg_hosts_used", "peak_hosts_used",
                          "bound_time_avg_hosts", "bound_peak_hosts", "stranded_vcpu_fraction",
                          "stranded_memory_fraction", "total_wait_s", "decisions_per_second"}) {
    EXPECT_TRUE(json[key].is_number()) << key;
  }
  for (const char* key : {"p50", "p99", "p999"}) {
    EXPECT_TRUE(json["latency_ns"][key].is_number()) << key;
  }
  EXPECT_FALSE(json.contains("without_what_if"));
}

TEST_F(Simulate, PrintsTheReportAsADocument) {
  EXPECT_EQ(nlohmann::json::parse(simulate({"-o", "json"}).out)["placed"], 2);
  EXPECT_THAT(simulate({"-o", "yaml"}).out, HasSubstr("\nplaced: 2\n"));
}

TEST_F(Simulate, EveryPolicyIsTaken) {
  for (const char* policy :
       {"default", "first-fit", "best-fit", "worst-fit", "dot-product", "l2", "fgd"}) {
    EXPECT_EQ(simulate({"--policy", policy}).code, 0) << policy;
    EXPECT_EQ(written()["policy"], policy);
  }
}

TEST_F(Simulate, WaitsForRoomIfAsked) {
  EXPECT_EQ(simulate({"--on-full", "wait"}).code, 0);
  EXPECT_EQ(written()["rejected"], 0);
  EXPECT_EQ(written()["total_wait_s"], 90 + 50);
}

TEST_F(Simulate, PlaysAPartOfTheTrace) {
  EXPECT_EQ(simulate({"--from-row", "2", "--rows", "1"}).code, 0);
  EXPECT_EQ(written()["rows"], nlohmann::json({{"from", 2}, {"count", 1}}));
  EXPECT_EQ(written()["placed"], 1);
  const Ran ran = simulate({"--from-row", "4"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--from-row: row 4 asked, the trace has 3"));
}

TEST_F(Simulate, OversubscribesIfAsked) {
  EXPECT_EQ(simulate({"--oversubscription", "2"}).code, 0);
  EXPECT_EQ(written()["placed"], 3);
  EXPECT_EQ(written()["fleet"]["oversubscription"], 2);
}

TEST_F(Simulate, KeepsRoomForFailoverIfAsked) {
  EXPECT_EQ(simulate({"--failover", "host"}).code, 0);
  EXPECT_EQ(written()["placed"], 0);
  EXPECT_EQ(written()["rejections"]["failover"], 3);
  EXPECT_EQ(written()["failover"], "host");
}

TEST_F(Simulate, TakesTheFirstHostsOfTheFleetFile) {
  const std::string fleet = write_file("f.toml",
                                       "oversubscription = 1\n[generate]\nhosts = 3\n"
                                       "host_vcpus = 4\nhost_memory_mib = 8192\n");
  EXPECT_EQ(simulate({"--fleet", fleet}, false).code, 0);
  EXPECT_EQ(written()["placed"], 3);
  EXPECT_EQ(written()["fleet"]["file"], fleet);
  EXPECT_EQ(simulate({"--fleet", fleet, "--limit-hosts", "1"}, false).code, 0);
  EXPECT_EQ(written()["placed"], 2);
  EXPECT_EQ(written()["fleet"]["hosts"], 1);
  EXPECT_EQ(
      simulate({"--fleet", fleet, "--limit-hosts", "1", "--oversubscription", "2"}, false).code, 0);
  EXPECT_EQ(written()["placed"], 3);
  const Ran ran = simulate({"--fleet", fleet, "--limit-hosts", "4"}, false);
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--limit-hosts: 4 hosts asked, the fleet has 3"));
}

TEST_F(Simulate, NeedsOneFleet) {
  const Ran none = simulate({}, false);
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("no fleet is given"));
  const Ran both = simulate({"--fleet", "f.toml"});
  EXPECT_EQ(both.code, 2);
  EXPECT_THAT(both.err, HasSubstr("exclude each other"));
  const Ran half = simulate({"--hosts", "3"}, false);
  EXPECT_EQ(half.code, 2);
  EXPECT_THAT(half.err, HasSubstr("generated fleet: host-vcpus: 0 asked; 1 to 65536"));
}

TEST_F(Simulate, ReportsEachWhatIfAndTheSameWithoutThem) {
  const Ran ran = simulate(
      {"--what-if", "add 1 hosts to rack dc1/a/r01", "--what-if", "lose host host-01 at 50"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("lose host host-01 at 50:"), HasSubstr("Without that:")));
  const nlohmann::json json = written();
  EXPECT_EQ(json["placed"], 3);
  EXPECT_EQ(json["what_if"][0]["hosts_added"], 1);
  EXPECT_EQ(json["what_if"][1]["guests"], 1);
  EXPECT_EQ(json["what_if"][1]["lost"], 1);
  EXPECT_EQ(json["what_if"][1]["lost_instances"], nlohmann::json({"a"}));
  EXPECT_EQ(json["what_if"][1]["lost_vcpu_seconds"], 200.0);
  EXPECT_EQ(json["without_what_if"]["placed"], 2);
  const Ran unclear = simulate({"--what-if", "lose everything"});
  EXPECT_EQ(unclear.code, 2);
  EXPECT_THAT(unclear.err, HasSubstr("what if \"lose everything\""));
  const Ran absent = simulate({"--what-if", "lose site dc9 at 3d"});
  EXPECT_EQ(absent.code, 2);
  EXPECT_THAT(absent.err, HasSubstr("there is no site \"dc9\" in the fleet"));
}

TEST_F(Simulate, DrawsPlots) {
  const std::filesystem::path folder = std::filesystem::path(report).parent_path() / "plots" / "a";
  EXPECT_EQ(simulate({"--plots", folder}).code, 0);
  for (const char* name : {"load.svg", "racks.svg", "rejections.svg"}) {
    std::ifstream file(folder / name);
    std::string first;
    std::getline(file, first);
    EXPECT_THAT(first, ::testing::StartsWith("<svg xmlns=")) << name;
  }
}

TEST_F(Simulate, ShowsABarOnATerminalAlone) {
  EXPECT_THAT(simulate({}).err, IsEmpty());
  err_is_terminal = true;
  EXPECT_THAT(simulate({}).err, HasSubstr("0 of 3 rows"));
}

TEST_F(Simulate, SaysWhatCannotBeWrittenBeforeItBegins) {
  report = "/nowhere/report.json";
  trace = "/nowhere/trace.csv";
  const Ran ran = simulate({});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("cannot write \"/nowhere/report.json\": No such file"));
  report = "/tmp";
  EXPECT_THAT(simulate({}).err, HasSubstr("it is a directory"));
}

TEST_F(Simulate, NamesFileLineAndColumnOfABadTrace) {
  trace = write_file("bad.csv",
                     "arrival_s,departure_s,instance,project,vcpus,memory_mib,priority\n"
                     "5,4,a,p,1,1,0\n");
  const Ran ran = simulate({});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr(":2: departure_s: 4 is before the arrival at 5"));
}

TEST_F(Simulate, RefusesWordsThatItDoesNotKnow) {
  EXPECT_EQ(simulate({"--policy", "magic"}).code, 2);
  EXPECT_EQ(simulate({"--on-full", "panic"}).code, 2);
  EXPECT_EQ(simulate({"--failover", "planet"}).code, 2);
  EXPECT_EQ(simulate({"--rows", "0"}).code, 2);
  EXPECT_EQ(run_bare({"simulate", "--hosts", "1"}).code, 2);
}

}  // namespace
}  // namespace stellwerk::test
