#include "placement/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fixtures.h"
#include "placement/fits.h"

namespace stellwerk::placement {
namespace {

std::string explain(const Fleet& fleet, const Request& request) {
  std::vector<Refusal> refusals;
  for (const HostLoad& host : fleet.hosts) {
    if (auto refusal = first_refusal(host, request, fleet.cpu_limits)) refusals.push_back(*refusal);
  }
  return summarize(fleet, request, refusals);
}

TEST(Explain, NamesTheAmountAskedTheLargestFreeAndWhatWouldDo) {
  Fleet fleet = fleet_of({plain_host(1), plain_host(2)});
  fleet.hosts[0].memory_used = gibibytes(10);
  Request request = plain_request();
  request.memory = gibibytes(12 * 1024);
  EXPECT_EQ(explain(fleet, request),
            "memory: 12 TiB asked, the largest free is 16 GiB; ask for less memory or another "
            "flavor");
}

TEST(Explain, NamesEveryRuleThatRefusedAHostAndAdvisesOnTheNearest) {
  Fleet fleet = fleet_of({plain_host(1), plain_host(2), plain_host(3)});
  fleet.hosts[0].accepting = false;
  fleet.hosts[1].vcpus_used[CpuClass::kDedicatedCore] = VcpuCount(4);
  fleet.hosts[2].disk_used = gigabytes(100);
  EXPECT_EQ(explain(fleet, plain_request()),
            "hosts (1 of 3 hosts): not connected; "
            "cpu (1 of 3 hosts): 2 shared vCPUs asked, the largest free is 0; "
            "disk (1 of 3 hosts): 18.6 GiB asked, the largest free is 0 bytes; "
            "ask for a smaller disk or another flavor");
}

TEST(Explain, SaysWhichDiskTypeNobodyHas) {
  Request request = plain_request();
  request.disk_type = DiskType::kNetwork;
  EXPECT_EQ(explain(fleet_of({plain_host(1)}), request),
            "disk-type: network asked, none there; choose a flavor without this disk type");
}

TEST(Explain, SaysThatProcessorsAreNotKnown) {
  HostLoad host = plain_host(1);
  host.facts.numa.clear();
  Request request = plain_request();
  request.cpu_class = CpuClass::kDedicatedCore;
  EXPECT_EQ(explain(fleet_of({host}), request),
            "topology: dedicated-core vCPUs asked, cores and threads are not known; choose a "
            "flavor of a shared class");
}

TEST(Explain, SaysThatHostsAreMissingOrSilent) {
  EXPECT_EQ(explain({}, plain_request()),
            "no host belongs to the cell yet; start stellwerkd on one");
  Fleet fleet = fleet_of({plain_host(1)});
  fleet.hosts[0].accepting = false;
  EXPECT_EQ(explain(fleet, plain_request()),
            "hosts: not connected; try again when a host has connected");
}

TEST(Explain, TellsAmountsApartThatRoundToTheSame) {
  Request request = plain_request();
  request.memory = gibibytes(16) + Bytes(1);
  EXPECT_EQ(explain(fleet_of({plain_host(1)}), request),
            "memory: 17179869185 bytes asked, the largest free is 17179869184 bytes; ask for less "
            "memory or another flavor");
}

RC_GTEST_PROP(Explain, NeverNamesAHost, ()) {
  const Fleet fleet = any_fleet();
  const Decision decision = place(fleet, any_request());
  RC_PRE(std::holds_alternative<Refused>(decision));
  const std::string& summary = std::get<Refused>(decision).summary;
  for (const HostLoad& host : fleet.hosts) {
    RC_ASSERT(summary.find(host.id) == std::string::npos);
    RC_ASSERT(summary.find(host.uid.to_string()) == std::string::npos);
  }
  RC_ASSERT(!summary.empty());
}

}  // namespace
}  // namespace stellwerk::placement
