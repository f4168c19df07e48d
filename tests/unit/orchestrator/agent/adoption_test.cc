#include "orchestrator/agent/adoption.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace stellwerk::agent {
namespace {

Instance instance() {
  Instance instance;
  instance.uid = InstanceUid(Uuid({3}));
  instance.project = ProjectUid(Uuid({4}));
  instance.id = "web";
  instance.ports = {{NetworkUid(Uuid({5})), 0x525400000007, {*IpAddress::parse("10.8.0.5")}}};
  instance.ingress = {
      {.protocol = IpProtocol::kTcp, .ports = {443, 443}, .from = *IpPrefix::parse("0.0.0.0/0")}};
  return instance;
}

hypervisor::Ownership owner(std::string adoption) {
  hypervisor::Ownership owner;
  owner.instance = instance().uid;
  owner.adoption = std::move(adoption);
  return owner;
}

TEST(Adoption, ADomainRemembersPortsAndRules) {
  const auto back = adopted(owner(adoption_of(instance())));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->id, "web");
  EXPECT_EQ(back->project, instance().project);
  EXPECT_EQ(back->ports, instance().ports);
  EXPECT_EQ(back->ingress, instance().ingress);
}

TEST(Adoption, IsPrintable) {
  EXPECT_TRUE(
      std::ranges::all_of(adoption_of(instance()), [](char c) { return c > ' ' && c < '\x7f'; }));
}

TEST(Adoption, WhatCannotBeReadIsNothing) {
  EXPECT_FALSE(adopted(owner("")));
  EXPECT_FALSE(adopted(owner("not base64!")));
  EXPECT_FALSE(adopted(owner("bm90IGEgcmVjb3Jk")));
  std::string cut = adoption_of(instance());
  cut.resize(cut.size() / 2 / 4 * 4);
  EXPECT_FALSE(adopted(owner(cut)));
}

TEST(Adoption, AnotherInstancesRecordIsNotBelieved) {
  hypervisor::Ownership other = owner(adoption_of(instance()));
  other.instance = InstanceUid(Uuid({8}));
  EXPECT_FALSE(adopted(other));
}

}  // namespace
}  // namespace stellwerk::agent
