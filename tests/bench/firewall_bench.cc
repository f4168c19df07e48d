// How long the kernel takes to guard so many ports: all of them, after a start of the daemon; one
// that is new; none, as the agent asks again and again. In a network namespace of its own: root.
#include <benchmark/benchmark.h>
#include <sched.h>

#include "drivers/firewall/nftables/nftables_firewall.h"

namespace stellwerk::firewall {
namespace {

Ruleset office(int64_t ports) {
  Ruleset ruleset{.port_prefix = "sw", .networks = {{.key = "office"}}};
  ruleset.networks[0].neighbours = {*IpPrefix::parse("10.0.0.1/32"),
                                    *IpPrefix::parse("fd00::1/128")};
  for (int64_t i = 0; i < ports; ++i) {
    GuardedPort port{.interface_name = fmt::format("sw{:012x}", i),
                     .mac = 0x020000000000 + static_cast<uint64_t>(i),
                     .network = "office"};
    port.addresses = {*IpAddress::v4(0x0A000002).plus(static_cast<uint64_t>(i)),
                      *IpAddress::parse("fd00::2")->plus(static_cast<uint64_t>(i))};
    for (const uint16_t open : {22, 80, 443}) {
      port.ingress.push_back({IpProtocol::kTcp, {open, open}, *IpPrefix::parse("::/0")});
      port.ingress.push_back({IpProtocol::kTcp, {open, open}, *IpPrefix::parse("0.0.0.0/0")});
    }
    ruleset.ports.push_back(std::move(port));
  }
  return ruleset;
}

bool enter_namespace(benchmark::State& state) {
  if (::unshare(CLONE_NEWNET) == 0) return true;
  state.SkipWithError("needs root");
  return false;
}

void must(benchmark::State& state, const absl::StatusOr<Outcome>& outcome) {
  if (!outcome.ok()) state.SkipWithError(describe(outcome.status()).c_str());
}

void guard_all_ports(benchmark::State& state) {
  if (!enter_namespace(state)) return;
  const Ruleset ruleset = office(state.range(0));
  for (auto _ : state) {
    NftablesFirewall started;
    must(state, started.apply(ruleset));
  }
}
BENCHMARK(guard_all_ports)
    ->Arg(50)
    ->Arg(200)
    ->Arg(1000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void guard_one_more_port(benchmark::State& state) {
  if (!enter_namespace(state)) return;
  const Ruleset few = office(state.range(0)), more = office(state.range(0) + 1);
  NftablesFirewall firewall;
  must(state, firewall.apply(few));
  for (auto _ : state) {
    must(state, firewall.apply(more));
    state.PauseTiming();
    must(state, firewall.apply(few));
    state.ResumeTiming();
  }
}
BENCHMARK(guard_one_more_port)
    ->Arg(50)
    ->Arg(200)
    ->Arg(1000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void look_after_guarded_ports(benchmark::State& state) {
  if (!enter_namespace(state)) return;
  const Ruleset ruleset = office(state.range(0));
  NftablesFirewall firewall;
  must(state, firewall.apply(ruleset));
  must(state, firewall.apply(ruleset));  // and reads what the kernel made of it
  for (auto _ : state) must(state, firewall.apply(ruleset));
}
BENCHMARK(look_after_guarded_ports)
    ->Arg(50)
    ->Arg(200)
    ->Arg(1000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace stellwerk::firewall
