#include "api/daemon/image_fetcher.h"

#include <gmock/gmock.h>

#include <deque>
#include <future>

#include "../../../support/eventually.h"
#include "../../../support/status_assertions.h"
#include "../../../support/temporary_directory.h"
#include "drivers/storage/local/local_storage.h"

namespace stellwerk::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const ImageUid kImage(Uuid::v5(Uuid(), "image"));
const std::string kDisk = [] {
  std::string bytes(4 << 20, 'd');
  for (size_t i = 0; i < bytes.size(); i += 512) bytes[i] = static_cast<char>(i >> 12);
  return bytes;
}();
const ImageSource kSource{.url = "http://images.example/disk", .sha256 = sha256(kDisk)};

// A server of one file: answers each request by the next of its scripts, the last one again.
class ScriptedDownloader final : public download::Downloader {
 public:
  using Script = std::function<absl::Status(const download::Request&, download::Sink&,
                                            const std::atomic<bool>& cancelled)>;
  absl::Status fetch(const download::Request& request, download::Sink& sink,
                     const std::atomic<bool>& cancelled) override {
    Script script;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      script = scripts_.front();
      if (scripts_.size() > 1) scripts_.pop_front();
    }
    return script(request, sink, cancelled);
  }

  void will(std::vector<Script> scripts) { scripts_.assign(scripts.begin(), scripts.end()); }
  std::vector<download::Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  mutable std::mutex mutex_;
  std::deque<Script> scripts_;
  std::vector<download::Request> requests_;
};

// What a well-behaved server with ranges sends, up to `until`; then the connection breaks.
ScriptedDownloader::Script serve(std::string file = kDisk, std::string tag = "\"v1\"",
                                 size_t until = SIZE_MAX) {
  return [=](const download::Request& request, download::Sink& sink,
             const std::atomic<bool>&) -> absl::Status {
    const bool same = request.validator == tag;
    const size_t from = same ? static_cast<size_t>(request.from.count()) : 0;
    SW_RETURN_IF_ERROR(sink.begin({.from = Bytes(static_cast<int64_t>(from)),
                                   .total = Bytes(static_cast<int64_t>(file.size())),
                                   .validator = tag}));
    for (size_t at = from; at < std::min(until, file.size()); at += 65536) {
      SW_RETURN_IF_ERROR(sink.write(std::string_view(file).substr(at, 65536)));
    }
    return until < file.size() ? unavailable("the connection broke") : absl::OkStatus();
  };
}

ScriptedDownloader::Script fail(absl::Status status) {
  return [status](const download::Request&, download::Sink&, const std::atomic<bool>&) {
    return status;
  };
}

class ImageFetcherTest : public ::testing::Test {
 protected:
  ImageFetcherTest() {
    limits_.parallel = 1;
    limits_.attempts = 3;
    limits_.first_pause = std::chrono::milliseconds(1);
    limits_.checkpoint_every = Duration::zero();
    limits_.report_every = Duration::zero();
    open();
  }

  void open() {
    fetcher_.reset();
    storage_.reset();
    storage::LocalStorage::Options options;
    options.directory = directory_ / "storage";
    options.largest_image_file = mebibytes(8);
    auto opened = storage::LocalStorage::open(options);
    ASSERT_OK(opened);
    storage_ = *std::move(opened);
    fetcher_.emplace(
        limits_, ImageFetcher::Parts{*storage_, downloader_, clock_},
        ImageFetcher::Reports{[this](const ImageUid&, const controller::ImportProgress& progress) {
                                const std::lock_guard lock(mutex_);
                                progress_.push_back(progress);
                              },
                              [this](const ImageUid&, auto content) {
                                const std::lock_guard lock(mutex_);
                                ended_.push_back(std::move(content));
                              }});
  }
  absl::StatusOr<controller::ImportedContent> fetch(const ImageSource& source = kSource) {
    const size_t before = ended();
    fetcher_->fetch(kImage, source);
    EXPECT_TRUE(testing::eventually([&] { return ended() > before; }));
    const std::lock_guard lock(mutex_);
    return ended_.back();
  }
  size_t ended() {
    const std::lock_guard lock(mutex_);
    return ended_.size();
  }

  testing::TemporaryDirectory directory_;
  SystemClock clock_;
  FetchLimits limits_;
  ScriptedDownloader downloader_;
  std::unique_ptr<storage::LocalStorage> storage_;
  std::mutex mutex_;
  std::vector<controller::ImportProgress> progress_;
  std::vector<absl::StatusOr<controller::ImportedContent>> ended_;
  std::optional<ImageFetcher> fetcher_;
};

TEST_F(ImageFetcherTest, FetchesAnImageAndTellsHowFarItIs) {
  downloader_.will({serve()});
  const auto content = fetch();
  ASSERT_OK(content);
  EXPECT_EQ(content->sha256, sha256(kDisk));
  EXPECT_EQ(content->file_size, mebibytes(4));
  EXPECT_THAT(storage_->inventory()->images, ElementsAre(kImage));
  EXPECT_THAT(storage_->inventory()->unfinished, IsEmpty());
  EXPECT_GT(progress_.size(), 10u);
  EXPECT_EQ(progress_.back(), (controller::ImportProgress{mebibytes(4), mebibytes(4)}));
}

TEST_F(ImageFetcherTest, GoesOnWhereTheConnectionBroke) {
  downloader_.will({serve(kDisk, "\"v1\"", 1 << 20), serve(kDisk, "\"v1\"", 2 << 20), serve()});
  EXPECT_OK(fetch());
  const auto requests = downloader_.requests();
  ASSERT_THAT(requests, SizeIs(3));
  EXPECT_EQ(requests[0].from, Bytes(0));
  EXPECT_EQ(requests[1].from, mebibytes(1));
  EXPECT_EQ(requests[1].validator, "\"v1\"");
  EXPECT_EQ(requests[2].from, mebibytes(2));
}

TEST_F(ImageFetcherTest, GoesOnInTheNextProcess) {
  std::promise<void> stuck;
  downloader_.will({[&](const download::Request& request, download::Sink& sink,
                        const std::atomic<bool>& cancelled) -> absl::Status {
    serve(kDisk, "\"v1\"", 3 << 20)(request, sink, cancelled).IgnoreError();
    stuck.set_value();
    EXPECT_TRUE(testing::eventually([&] { return cancelled.load(); }));
    return make_status(absl::StatusCode::kCancelled, "broken off");
  }});
  fetcher_->fetch(kImage, kSource);
  stuck.get_future().wait();
  EXPECT_TRUE(fetcher_->stop(std::chrono::seconds(10)));
  EXPECT_EQ(ended(), 0u) << "what the end of the daemon broke off has not failed";
  open();
  downloader_.will({serve()});
  EXPECT_OK(fetch());
  EXPECT_EQ(downloader_.requests().back().from, mebibytes(3));
}

TEST_F(ImageFetcherTest, AFileThatChangedMeanwhileBeginsAnew) {
  std::string other = kDisk;
  other[77] = 'x';
  downloader_.will({serve(kDisk, "\"v1\"", 1 << 20), serve(other, "\"v2\"")});
  const auto content = fetch({.url = kSource.url, .sha256 = sha256(other)});
  ASSERT_OK(content) << "a mixture of two files";
  EXPECT_EQ(content->sha256, sha256(other));
}

TEST_F(ImageFetcherTest, ARangeOfAnotherFileIsNotTakenForTheRest) {
  std::string other = kDisk;
  other[77] = 'x';
  // Heeds the range and not the condition.
  const auto careless = [&](const download::Request& request, download::Sink& sink,
                            const std::atomic<bool>&) -> absl::Status {
    SW_RETURN_IF_ERROR(
        sink.begin({.from = request.from, .total = mebibytes(4), .validator = "\"v2\""}));
    return sink.write(std::string_view(other).substr(static_cast<size_t>(request.from.count())));
  };
  downloader_.will({serve(kDisk, "\"v1\"", 1 << 20), careless});
  const auto content = fetch({.url = kSource.url, .sha256 = sha256(other)});
  ASSERT_OK(content);
  EXPECT_EQ(downloader_.requests().back().from, Bytes(0));
}

TEST_F(ImageFetcherTest, AShorterFileBeginsAnew) {
  downloader_.will({serve(kDisk, "\"v1\"", 1 << 20), fail(out_of_range("HTTP 416")), serve()});
  EXPECT_OK(fetch());
  EXPECT_EQ(downloader_.requests().back().from, Bytes(0));
}

// "Content-Range: bytes 1048576-4194303/*", and no ETag: what is known of the file stays known.
TEST_F(ImageFetcherTest, TheRestOfAFileNeedNotSayAgainWhatTheFileIs) {
  const auto terse = [](const download::Request& request, download::Sink& sink,
                        const std::atomic<bool>&) -> absl::Status {
    SW_RETURN_IF_ERROR(sink.begin({.from = request.from, .total = {}, .validator = ""}));
    const auto from = static_cast<size_t>(request.from.count());
    SW_RETURN_IF_ERROR(sink.write(std::string_view(kDisk).substr(from, 1 << 20)));
    return unavailable("the connection broke");
  };
  downloader_.will({serve(kDisk, "\"v1\"", 1 << 20), terse, serve()});
  EXPECT_OK(fetch());
  const auto requests = downloader_.requests();
  ASSERT_THAT(requests, SizeIs(3));
  EXPECT_EQ(requests[2].from, mebibytes(2));
  EXPECT_EQ(requests[2].validator, "\"v1\"");
  for (const auto& progress : progress_) {
    EXPECT_EQ(progress.expected, progress.received > Bytes() ? mebibytes(4) : progress.expected);
  }
}

TEST_F(ImageFetcherTest, WithoutAValidatorEveryAttemptBeginsAnew) {
  downloader_.will({serve(kDisk, "", 1 << 20), serve(kDisk, "")});
  EXPECT_OK(fetch());
  EXPECT_EQ(downloader_.requests().back().from, Bytes(0));
}

TEST_F(ImageFetcherTest, GivesUpAfterAFewAttemptsWithoutProgress) {
  downloader_.will({fail(unavailable("no connection"))});
  const auto content = fetch();
  EXPECT_THAT(message_of(content.status()), HasSubstr("given up after 3 attempts: no connection"));
  EXPECT_THAT(downloader_.requests(), SizeIs(3));
}

TEST_F(ImageFetcherTest, DoesNotAskAgainWhatWasRefused) {
  for (const absl::Status& refusal :
       {not_found("HTTP 404"), permission_denied("a loopback address"),
        failed_precondition("HTTP 418"), deadline_exceeded("too long")}) {
    const size_t before = downloader_.requests().size();
    downloader_.will({fail(refusal)});
    EXPECT_EQ(fetch().status(), refusal);
    EXPECT_EQ(downloader_.requests().size(), before + 1) << describe(refusal);
  }
}

TEST_F(ImageFetcherTest, AWrongSumOrContentFailsTheImport) {
  downloader_.will({serve()});
  const auto wrong = fetch({.url = kSource.url, .sha256 = sha256("another")});
  EXPECT_TRUE(absl::IsInvalidArgument(wrong.status())) << describe(wrong.status());
  EXPECT_THAT(storage_->inventory()->images, IsEmpty());

  ASSERT_OK(storage_->delete_image(kImage));
  downloader_.will({serve("<html>no disk</html>")});
  const auto page = fetch({.url = kSource.url, .sha256 = {}});
  EXPECT_TRUE(absl::IsInvalidArgument(page.status())) << describe(page.status());
}

TEST_F(ImageFetcherTest, RefusesWhatIsAnnouncedTooLargeAndWhatGrowsTooLarge) {
  downloader_.will({[](const download::Request&, download::Sink& sink, const std::atomic<bool>&) {
    return sink.begin({.total = gibibytes(5), .validator = ""});
  }});
  EXPECT_THAT(message_of(fetch().status()), HasSubstr("the largest that is allowed here"));
  downloader_.will({[](const download::Request&, download::Sink& sink,
                       const std::atomic<bool>&) -> absl::Status {
    SW_RETURN_IF_ERROR(sink.begin({}));
    for (;;) SW_RETURN_IF_ERROR(sink.write(std::string(1 << 20, 'x')));
  }});
  EXPECT_THAT(message_of(fetch().status()), HasSubstr("the largest that is allowed here"));
}

TEST_F(ImageFetcherTest, EndsAFetchThatIsUnderWay) {
  std::promise<void> begun;
  downloader_.will({[&](const download::Request&, download::Sink&,
                        const std::atomic<bool>& cancelled) -> absl::Status {
    begun.set_value();
    EXPECT_TRUE(testing::eventually([&] { return cancelled.load(); }));
    return make_status(absl::StatusCode::kCancelled, "broken off");
  }});
  fetcher_->fetch(kImage, kSource);
  begun.get_future().wait();
  fetcher_->end(kImage);
  EXPECT_EQ(ended(), 0u);
  fetcher_->end(ImageUid(Uuid::v5(Uuid(), "unknown")));
}

TEST_F(ImageFetcherTest, EndsAFetchBetweenTwoAttempts) {
  limits_.first_pause = std::chrono::hours(1);
  open();
  downloader_.will({fail(unavailable("no connection"))});
  fetcher_->fetch(kImage, kSource);
  ASSERT_TRUE(testing::eventually([&] { return downloader_.requests().size() == 1; }));
  fetcher_->end(kImage);
  EXPECT_EQ(ended(), 0u);
  EXPECT_THAT(downloader_.requests(), SizeIs(1));
}

// What is kept for the next attempt cannot be kept of an upload that failed; that is not the news.
TEST_F(ImageFetcherTest, TellsWhyItFailedAlsoWhenNothingCouldBeKept) {
  downloader_.will({[](const download::Request&, download::Sink& sink,
                       const std::atomic<bool>&) -> absl::Status {
    SW_RETURN_IF_ERROR(sink.begin({.validator = "\"v1\""}));
    for (;;) SW_RETURN_IF_ERROR(sink.write(std::string(1 << 20, 'x')));
  }});
  EXPECT_THAT(message_of(fetch().status()), HasSubstr("the largest that is allowed here"));
}

TEST_F(ImageFetcherTest, DoesNotFetchAgainWhatAnEarlierProcessHadPublished) {
  downloader_.will({serve()});
  const auto first = fetch();
  ASSERT_OK(first);
  open();
  downloader_.will({fail(not_found("HTTP 404"))});
  const auto second = fetch();
  ASSERT_OK(second);
  EXPECT_EQ(second->sha256, first->sha256);
  EXPECT_EQ(second->file_size, first->file_size);
  EXPECT_EQ(second->virtual_size, first->virtual_size);
  EXPECT_OK(fetch({.url = kSource.url, .sha256 = {}}));
  EXPECT_THAT(downloader_.requests(), SizeIs(1));
  // That it lies there does not make it what was asked for.
  EXPECT_TRUE(absl::IsNotFound(fetch({.url = kSource.url, .sha256 = sha256("x")}).status()));
}

TEST_F(ImageFetcherTest, TellsOfAnImageThatWasWholeWhenTheDaemonEnded) {
  std::promise<void> whole;
  downloader_.will({[&](const download::Request& request, download::Sink& sink,
                        const std::atomic<bool>& cancelled) -> absl::Status {
    SW_RETURN_IF_ERROR(serve()(request, sink, cancelled));
    whole.set_value();
    EXPECT_TRUE(testing::eventually([&] { return cancelled.load(); }));
    return absl::OkStatus();
  }});
  fetcher_->fetch(kImage, kSource);
  whole.get_future().wait();
  EXPECT_TRUE(fetcher_->stop(std::chrono::seconds(10)));
  ASSERT_EQ(ended(), 1u);
  EXPECT_OK(ended_.back());
}

TEST_F(ImageFetcherTest, EndsAtOnceWhatWaitsForItsTurn) {
  std::promise<void> begun;
  std::promise<void> go_on;
  auto may_go_on = go_on.get_future().share();
  downloader_.will({[&](const download::Request& request, download::Sink& sink,
                        const std::atomic<bool>& cancelled) -> absl::Status {
                      begun.set_value();
                      may_go_on.wait();
                      return serve()(request, sink, cancelled);
                    },
                    serve()});
  const ImageUid waits(Uuid::v5(Uuid(), "waits"));
  fetcher_->fetch(kImage, kSource);
  begun.get_future().wait();
  fetcher_->fetch(waits, kSource);  // for the only thread
  auto done = std::async(std::launch::async, [&] { fetcher_->end(waits); });
  EXPECT_EQ(done.wait_for(std::chrono::seconds(5)), std::future_status::ready);
  // Wanted again, it has one turn and not two.
  fetcher_->fetch(waits, kSource);
  go_on.set_value();
  EXPECT_TRUE(testing::eventually([&] { return ended() == 2; }));
  EXPECT_TRUE(fetcher_->stop(std::chrono::seconds(10)));
  EXPECT_EQ(ended(), 2u);
  EXPECT_THAT(downloader_.requests(), SizeIs(2));
}

TEST_F(ImageFetcherTest, AFetchThatHasNotBegunEndsWithTheDaemon) {
  std::promise<void> begun;
  downloader_.will({[&](const download::Request&, download::Sink&,
                        const std::atomic<bool>& cancelled) -> absl::Status {
    begun.set_value();
    EXPECT_TRUE(testing::eventually([&] { return cancelled.load(); }));
    return make_status(absl::StatusCode::kCancelled, "broken off");
  }});
  const ImageUid waits(Uuid::v5(Uuid(), "waits"));
  fetcher_->fetch(kImage, kSource);
  begun.get_future().wait();
  fetcher_->fetch(waits, kSource);  // for the only thread
  EXPECT_TRUE(fetcher_->stop(std::chrono::seconds(10)));
  fetcher_->end(waits);  // waits for nobody
  EXPECT_EQ(ended(), 0u);
  EXPECT_THAT(downloader_.requests(), SizeIs(1));
}

}  // namespace
}  // namespace stellwerk::daemon
