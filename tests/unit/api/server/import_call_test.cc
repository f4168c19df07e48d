#include <gmock/gmock.h>

#include "stellwerk/v1/images.grpc.pb.h"
#include "test_server.h"

namespace stellwerk::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

v1::ImportImageRequest spec_of(const std::string& id) {
  v1::ImportImageRequest request;
  request.mutable_spec()->set_parent("projects/p");
  request.mutable_spec()->set_image_id(id);
  return request;
}

v1::ImportImageRequest chunk_of(std::string bytes) {
  v1::ImportImageRequest request;
  request.set_chunk(std::move(bytes));
  return request;
}

class Import : public ServerTest {
 protected:
  using Writer = grpc::ClientWriter<v1::ImportImageRequest>;

  void SetUp() override {
    ServerConfig config;
    config.limits.imports = 2;
    config.limits.import_idle = std::chrono::milliseconds(200);
    config.limits.tick = std::chrono::milliseconds(10);
    start(std::move(config));
    images_ = stub<v1::Images>();
  }

  // Sends all of `messages` as far as the server takes them, ends the stream and returns its
  // status.
  grpc::Status send(const std::vector<v1::ImportImageRequest>& messages) {
    Call call;
    const std::unique_ptr<Writer> writer = images_->ImportImage(&call, &image_);
    for (const auto& message : messages) {
      if (!writer->Write(message)) break;
    }
    writer->WritesDone();
    return writer->Finish();
  }

  size_t given_up() const {
    size_t count = 0;
    for (const auto& end : gateway_.mutations<controller::FinishImageImport>()) {
      count += !end.content.ok();
    }
    return count;
  }

  void expect_nothing_left() {
    EXPECT_EQ(gateway_.fake_images().open_uploads(), 0u);
    EXPECT_THAT(gateway_.fake_images().published(), IsEmpty());
    EXPECT_EQ(given_up(), 1u);
  }

  std::unique_ptr<v1::Images::Stub> images_;
  v1::Image image_;
};

TEST_F(Import, StoresTheBytesAndActivatesTheImage) {
  v1::ImportImageRequest spec = spec_of("debian");
  const std::string first(1 << 20, 'a');
  spec.mutable_spec()->set_size_bytes(first.size() + 3);
  spec.mutable_spec()->set_sha256(to_hex(sha256(first + "end")));
  spec.mutable_spec()->set_request_id("7c0e1f9a-2b44-4d8e-9d0c-6f5c8f0a1b2c");

  const grpc::Status status = send({spec, chunk_of(first), chunk_of("end")});

  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(image_.name(), "projects/p/images/debian");
  EXPECT_EQ(image_.state(), v1::Image::ACTIVE);
  EXPECT_EQ(image_.size_bytes(), static_cast<int64_t>(first.size() + 3));
  ASSERT_EQ(gateway_.fake_images().published().size(), 1u);
  EXPECT_EQ(gateway_.fake_images().published().begin()->second, first + "end");
  EXPECT_EQ(gateway_.fake_images().open_uploads(), 0u);
  EXPECT_EQ(given_up(), 0u);
  // Both mutations carry the same request id and body.
  const auto requests = gateway_.requests();
  ASSERT_EQ(requests.size(), 2u);
  const auto& begin = std::get<controller::Mutation>(requests[0]).context;
  const auto& end = std::get<controller::Mutation>(requests[1]).context;
  EXPECT_EQ(begin.request_id, end.request_id);
  EXPECT_EQ(begin.body, end.body);
}

TEST_F(Import, NeedsNeitherSizeNorDigest) {
  EXPECT_TRUE(send({spec_of("debian"), chunk_of("abc"), chunk_of(""), chunk_of("d")}).ok());
  EXPECT_EQ(gateway_.fake_images().published().begin()->second, "abcd");
}

TEST_F(Import, AnswersARepetitionWithoutItsBytes) {
  ASSERT_TRUE(send({spec_of("debian"), chunk_of("abc")}).ok());
  image_.Clear();
  const grpc::Status status = send({spec_of("debian"), chunk_of("abc")});
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(image_.state(), v1::Image::ACTIVE);
  EXPECT_EQ(gateway_.mutations<controller::FinishImageImport>().size(), 1u);
}

TEST_F(Import, TellsEveryMistakeOfItsSpec) {
  v1::ImportImageRequest spec;
  spec.mutable_spec()->set_sha256("<xml>");
  const grpc::Status status = send({spec, chunk_of("abc")});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(fields_of(status),
              UnorderedElementsAre("spec.parent", "spec.image_id", "spec.sha256"));
  EXPECT_EQ(given_up(), 0u);
}

TEST_F(Import, RefusesAChunkBeforeTheSpec) {
  const grpc::Status status = send({chunk_of("abc"), spec_of("debian")});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(fields_of(status), ElementsAre("spec"));
  EXPECT_THAT(gateway_.requests(), IsEmpty());
}

TEST_F(Import, RefusesAStreamWithoutAMessage) {
  const grpc::Status status = send({});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(fields_of(status), ElementsAre("spec"));
}

TEST_F(Import, RefusesASecondSpec) {
  EXPECT_THAT(fields_of(send({spec_of("debian"), spec_of("debian")})), ElementsAre("chunk"));
  expect_nothing_left();
}

TEST_F(Import, RefusesAChunkThatIsTooLarge) {
  const grpc::Status status = send({spec_of("debian"), chunk_of(std::string((1 << 20) + 1, 'x'))});
  EXPECT_THAT(fields_of(status), ElementsAre("chunk"));
  expect_nothing_left();
}

TEST_F(Import, RefusesMoreBytesThanWereAnnounced) {
  v1::ImportImageRequest spec = spec_of("debian");
  spec.mutable_spec()->set_size_bytes(5);
  const grpc::Status status = send({spec, chunk_of("abc"), chunk_of("def")});
  EXPECT_THAT(fields_of(status), ElementsAre("spec.size_bytes"));
  EXPECT_THAT(status.error_message(), HasSubstr("5 bytes were announced, more came"));
  expect_nothing_left();
}

TEST_F(Import, RefusesFewerBytesThanWereAnnounced) {
  v1::ImportImageRequest spec = spec_of("debian");
  spec.mutable_spec()->set_size_bytes(5);
  const grpc::Status status = send({spec, chunk_of("abc")});
  EXPECT_THAT(fields_of(status), ElementsAre("spec.size_bytes"));
  EXPECT_THAT(status.error_message(), HasSubstr("5 bytes were announced, 3 came"));
  expect_nothing_left();
}

TEST_F(Import, RefusesAWrongDigest) {
  v1::ImportImageRequest spec = spec_of("debian");
  spec.mutable_spec()->set_sha256(to_hex(sha256("other")));
  const grpc::Status status = send({spec, chunk_of("abc")});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(fields_of(status), ElementsAre("spec.sha256"));
  expect_nothing_left();
}

TEST_F(Import, RefusesAnAnnouncedSizeOverTheLimitBeforeAnyByte) {
  gateway_.fake_images().set_largest_image(Bytes(4));
  v1::ImportImageRequest spec = spec_of("debian");
  spec.mutable_spec()->set_size_bytes(5);
  Call call;
  const std::unique_ptr<Writer> writer = images_->ImportImage(&call, &image_);
  ASSERT_TRUE(writer->Write(spec));
  const grpc::Status status = writer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_THAT(fields_of(status), ElementsAre("spec.size_bytes"));
  expect_nothing_left();
}

TEST_F(Import, EndsWhenTheDiskIsFull) {
  gateway_.fake_images().set_room(4);
  const grpc::Status status = send({spec_of("debian"), chunk_of("abc"), chunk_of("def")});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("disk is full"));
  expect_nothing_left();
}

TEST_F(Import, EndsWhenTheUploadCannotBegin) {
  gateway_.fake_images().refuse_uploads(internal_error("the folder is gone"));
  EXPECT_EQ(send({spec_of("debian"), chunk_of("abc")}).error_code(), grpc::StatusCode::INTERNAL);
  expect_nothing_left();
}

TEST_F(Import, EndsWhenTheClientCancels) {
  Call call;
  const std::unique_ptr<Writer> writer = images_->ImportImage(&call, &image_);
  ASSERT_TRUE(writer->Write(spec_of("debian")));
  ASSERT_TRUE(writer->Write(chunk_of("abc")));
  ASSERT_TRUE(testing::eventually([&] { return gateway_.fake_images().open_uploads() == 1; }));
  call.TryCancel();
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  ASSERT_TRUE(testing::eventually([&] { return given_up() == 1; }));
  expect_nothing_left();
}

// Neither size nor digest are given: only the broken stream itself can tell.
TEST_F(Import, TakesNoBrokenConnectionForTheEndOfTheBytes) {
  for (int round = 1; round <= 50; ++round) {
    const std::string id = "image-" + std::to_string(round);
    auto channel = connect();
    Call call;
    auto writer = v1::Images::NewStub(channel)->ImportImage(&call, &image_);
    ASSERT_TRUE(writer->Write(spec_of(id)));
    ASSERT_TRUE(writer->Write(chunk_of("half of it")));
    ASSERT_TRUE(testing::eventually([&] { return gateway_.fake_images().open_uploads() == 1; }));
    call.TryCancel();
    writer->Finish();
    writer.reset();
    channel.reset();
    ASSERT_TRUE(testing::eventually([&] { return given_up() == static_cast<size_t>(round); }));
  }
  EXPECT_THAT(gateway_.fake_images().published(), IsEmpty());
  EXPECT_EQ(gateway_.fake_images().open_uploads(), 0u);
}

TEST_F(Import, EndsWhenTheClientFallsSilent) {
  Call call;
  const std::unique_ptr<Writer> writer = images_->ImportImage(&call, &image_);
  ASSERT_TRUE(writer->Write(spec_of("debian")));
  ASSERT_TRUE(writer->Write(chunk_of("abc")));
  const grpc::Status status = writer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << status.error_message();
  EXPECT_EQ(reason_of(status), "IMPORT_IDLE");
  expect_nothing_left();
}

TEST_F(Import, EndsWhenTheClientNeverSpeaks) {
  Call call;
  const std::unique_ptr<Writer> writer = images_->ImportImage(&call, &image_);
  EXPECT_EQ(reason_of(writer->Finish()), "IMPORT_IDLE");
  EXPECT_THAT(gateway_.requests(), IsEmpty());
}

TEST_F(Import, DoesNotTakeEmptyChunksForLife) {
  Call call;
  const std::unique_ptr<Writer> writer = images_->ImportImage(&call, &image_);
  ASSERT_TRUE(writer->Write(spec_of("debian")));
  while (writer->Write(chunk_of(""))) {
  }
  EXPECT_EQ(reason_of(writer->Finish()), "IMPORT_IDLE");
  expect_nothing_left();
}

TEST_F(Import, IsRefusedWhileItIsUnderWayInAnotherStream) {
  Call call;
  const std::unique_ptr<Writer> first = images_->ImportImage(&call, &image_);
  ASSERT_TRUE(first->Write(spec_of("debian")));
  ASSERT_TRUE(testing::eventually([&] { return gateway_.fake_images().open_uploads() == 1; }));
  v1::Image ignored;
  Call again;
  const std::unique_ptr<Writer> second = images_->ImportImage(&again, &ignored);
  ASSERT_TRUE(second->Write(spec_of("debian")));
  const grpc::Status status = second->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(reason_of(status), "IMPORT_UNDER_WAY");
  EXPECT_EQ(given_up(), 0u);
  ASSERT_TRUE(first->Write(chunk_of("abc")));
  first->WritesDone();
  EXPECT_TRUE(first->Finish().ok());
}

TEST_F(Import, IsLimitedInNumber) {
  std::vector<std::unique_ptr<Call>> calls;
  std::vector<std::unique_ptr<Writer>> writers;
  for (int i = 0; i < 2; ++i) {
    calls.push_back(std::make_unique<Call>());
    writers.push_back(images_->ImportImage(calls.back().get(), &image_));
    ASSERT_TRUE(writers.back()->Write(spec_of("image-" + std::to_string(i))));
  }
  ASSERT_TRUE(testing::eventually([&] { return gateway_.fake_images().open_uploads() == 2; }));
  const grpc::Status status = send({spec_of("third")});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(reason_of(status), "TOO_MANY_STREAMS");
  EXPECT_THAT(status.error_message(), HasSubstr("2 imports are open"));
  for (const auto& writer : writers) writer->Finish();
  EXPECT_TRUE(send({spec_of("third"), chunk_of("abc")}).ok());
}

TEST_F(Import, IsGivenUpOnceTheControllerCanCommitAgain) {
  std::atomic<int> refusals = 0;
  gateway_.answer_with(
      [&](const controller::Request& request) -> absl::StatusOr<controller::Answer> {
        const auto& body = std::get<controller::Mutation>(request).body;
        const bool end = std::holds_alternative<controller::FinishImageImport>(body);
        if (end && ++refusals <= 3) return unavailable("the store is slow");
        return controller::ImageView();
      });
  const grpc::Status status = send({spec_of("debian"), spec_of("debian")});
  EXPECT_THAT(fields_of(status), ElementsAre("chunk"));
  EXPECT_EQ(given_up(), 4u);
}

TEST_F(Import, IsGivenUpWhenItsEndIsRefused) {
  gateway_.answer_with(
      [&](const controller::Request& request) -> absl::StatusOr<controller::Answer> {
        const auto& body = std::get<controller::Mutation>(request).body;
        const auto* end = std::get_if<controller::FinishImageImport>(&body);
        if (end != nullptr && end->content.ok()) return failed_precondition("too late");
        return controller::ImageView();
      });
  EXPECT_EQ(send({spec_of("debian"), chunk_of("abc")}).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(given_up(), 1u);
  EXPECT_EQ(gateway_.fake_images().open_uploads(), 0u);
}

TEST_F(Import, EndsWithTheServer) {
  Call call;
  const std::unique_ptr<Writer> writer = images_->ImportImage(&call, &image_);
  ASSERT_TRUE(writer->Write(spec_of("debian")));
  ASSERT_TRUE(testing::eventually([&] { return gateway_.fake_images().open_uploads() == 1; }));
  server_->shutdown(std::chrono::seconds(5));
  const grpc::Status status = writer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  expect_nothing_left();
}

TEST_F(Import, SurvivesAStormOfCancelledStreams) {
  for (int round = 0; round < 100; ++round) {
    Call call;
    v1::Image image;
    const std::unique_ptr<Writer> writer = images_->ImportImage(&call, &image);
    if (round % 3 > 0) writer->Write(spec_of("image-" + std::to_string(round)));
    if (round % 3 > 1) writer->Write(chunk_of("abc"));
    call.TryCancel();
    writer->Finish();
  }
  EXPECT_TRUE(testing::eventually([&] { return gateway_.fake_images().open_uploads() == 0; }));
  EXPECT_TRUE(testing::eventually([&] { return send({spec_of("last"), chunk_of("abc")}).ok(); }));
  EXPECT_EQ(gateway_.fake_images().published().size(), 1u);
}

}  // namespace
}  // namespace stellwerk::server
