#include "api/convert/digest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "stellwerk/v1/instances.pb.h"

namespace stellwerk::convert {
namespace {

TEST(Digest, IgnoresTheRequestIdAlone) {
  v1::StopInstanceRequest request;
  request.set_name("projects/p/instances/i");
  request.set_request_id("one");
  const Sha256 first = digest_of("StopInstance", request);
  request.set_request_id("two");
  EXPECT_EQ(digest_of("StopInstance", request), first);
  request.set_force(true);
  EXPECT_NE(digest_of("StopInstance", request), first);
}

TEST(Digest, TellsMethodsApart) {
  v1::StartInstanceRequest start;
  start.set_name("projects/p/instances/i");
  v1::DeleteInstanceRequest remove;
  remove.set_name("projects/p/instances/i");
  EXPECT_NE(digest_of("StartInstance", start), digest_of("DeleteInstance", remove));
}

RC_GTEST_PROP(Digest, DoesNotDependOnTheOrderOfLabels,
              (const std::map<std::string, std::string>& labels)) {
  v1::CreateInstanceRequest forwards;
  v1::CreateInstanceRequest backwards;
  for (auto label = labels.begin(); label != labels.end(); ++label) {
    (*forwards.mutable_instance()->mutable_labels())[label->first] = label->second;
  }
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
    (*backwards.mutable_instance()->mutable_labels())[label->first] = label->second;
  }
  RC_ASSERT(digest_of("CreateInstance", forwards) == digest_of("CreateInstance", backwards));
}

// The digest is stored for 24 h, so a newer daemon must compute the same one.
TEST(Digest, IsFixed) {
  v1::CreateInstanceRequest request;
  request.set_parent("projects/default");
  request.set_instance_id("web-1");
  request.mutable_instance()->set_flavor("flavors/SCS-2V-8");
  (*request.mutable_instance()->mutable_labels())["b"] = "2";
  (*request.mutable_instance()->mutable_labels())["a"] = "1";
  EXPECT_EQ(to_hex(digest_of("CreateInstance", request)),
            "12d23386f2cac9e1c73d83274bbd670a4fd82a7cc21f612dac3bed22b7a7747d");
}

}  // namespace
}  // namespace stellwerk::convert
