#include <stdexcept>
#include <streambuf>
#include <utility>

#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ImageCommands : public CliTest {
 protected:
  ImageCommands() {
    v1::Image image;
    image.set_name("projects/default/images/debian-12");
    image.set_uid("7c1d0000-0000-5000-8000-000000000001");
    image.set_etag("4");
    *image.mutable_create_time() = seconds_ago(300);
    image.set_state(v1::Image::ACTIVE);
    image.set_firmware(v1::Image::BIOS);
    image.set_min_memory_bytes(512 << 20);
    image.set_format(v1::Image::QCOW2);
    image.set_size_bytes(184 << 20);
    image.set_virtual_bytes(int64_t{2} << 30);
    image.set_sha256(std::string(64, 'a'));
    daemon.script().images = {image};
  }

  // More than one chunk, and not a multiple of it.
  const std::string content_ = [] {
    std::string bytes((1 << 20) * 2 + 4711, '\0');
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
    return bytes;
  }();
};

TEST_F(ImageCommands, ImportStreamsTheFileInChunks) {
  const Ran ran = run({"image", "import", "debian-12", write_file("disk.qcow2", content_),
                       "--sha256", std::string(64, 'A'), "--firmware", "uefi", "--min-disk", "2GiB",
                       "--min-memory", "512MiB", "--label", "os=debian", "--request-id",
                       "5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(daemon.script().imported == content_);
  EXPECT_LE(daemon.script().largest_chunk, size_t{1} << 20);
  ASSERT_EQ(daemon.calls().size(), 1U);
  EXPECT_EQ(daemon.calls().front().request,
            "parent: \"projects/default\" image_id: \"debian-12\" image { firmware: UEFI "
            "min_disk_bytes: 2147483648 min_memory_bytes: 536870912 "
            "labels { key: \"os\" value: \"debian\" } } sha256: \"" +
                std::string(64, 'a') +
                "\" size_bytes: 2101863 request_id: \"5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a\"");
  EXPECT_EQ(ran.out,
            "NAME        STATE    VISIBILITY   FORMAT   SIZE      DISK    AGE\n"
            "debian-12   ACTIVE   private      qcow2    184 MiB   2 GiB   5 min\n");
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST_F(ImageCommands, ImportReadsStandardInputWithoutKnowingItsSize) {
  input = content_;
  EXPECT_EQ(run({"image", "import", "debian-12", "-"}).code, 0);
  EXPECT_TRUE(daemon.script().imported == content_);
  EXPECT_THAT(daemon.calls().front().request, ::testing::Not(HasSubstr("size_bytes")));
}

TEST_F(ImageCommands, ImportShowsProgressOnATerminal) {
  err_is_terminal = true;
  const Ran ran = run({"image", "import", "debian-12", write_file("disk.raw", content_)});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("disk.raw [>"), HasSubstr("  0 % 0 bytes of 2 MiB"),
                             ::testing::EndsWith("\r\x1b[K")));
}

TEST_F(ImageCommands, ImportTellsWhyTheDaemonRefuses) {
  daemon.script().failures = {
      failure(grpc::StatusCode::ALREADY_EXISTS, "image debian-12 exists", "NAME_TAKEN")};
  const Ran ran = run({"image", "import", "debian-12", write_file("disk.raw", content_)});
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(ran.err, "error: image debian-12 exists\n");
}

TEST_F(ImageCommands, ImportTellsThatItsSourceFellSilent) {
  daemon.script().failures = {failure(grpc::StatusCode::DEADLINE_EXCEEDED,
                                      "no byte of the image came for 60 s", "IMPORT_IDLE")};
  const Ran ran = run({"image", "import", "debian-12", write_file("disk.raw", content_)});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err, "error: no byte of the image came for 60 s\n");
}

TEST_F(ImageCommands, ImportOfAFileIsRepeatedFromItsBeginning) {
  daemon.script().failures = {failure(grpc::StatusCode::UNAVAILABLE, "restarting", "STOPPING")};
  const Ran ran = run({"image", "import", "debian-12", write_file("disk.raw", content_)});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(daemon.script().imported == content_);
  ASSERT_EQ(daemon.calls().size(), 2U);
  EXPECT_EQ(daemon.calls()[0].request_id, daemon.calls()[1].request_id);
}

TEST_F(ImageCommands, ImportFromAPipeIsNotRepeated) {
  input = content_;
  daemon.script().failures = {failure(grpc::StatusCode::UNAVAILABLE, "restarting", "STOPPING")};
  const Ran ran = run({"image", "import", "debian-12", "-"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("standard input or a pipe cannot be read twice"),
                             HasSubstr("restarting"), HasSubstr("with --request-id ")));
  EXPECT_EQ(daemon.calls().size(), 1U);
}

TEST_F(ImageCommands, ImportRefusesWhatCannotBeRead) {
  EXPECT_THAT(run({"image", "import", "x", "/no/such/file"}).err,
              HasSubstr("error: cannot read \"/no/such/file\": No such file or directory"));
  EXPECT_EQ(run({"image", "import", "x", "/no/such/file"}).code, 2);
  EXPECT_THAT(run({"image", "import", "x", daemon.directory()}).err,
              HasSubstr("it is a directory"));
  EXPECT_THAT(daemon.calls(), IsEmpty());
}

// One chunk, and then a failing disk, once the daemon has begun to read.
class FailingInput final : public std::streambuf {
 public:
  explicit FailingInput(FakeDaemon& daemon) : daemon_(daemon), chunk_(1 << 20, 'x') {}

 protected:
  int_type underflow() override {
    if (std::exchange(delivered_, true)) {
      daemon_.wait_until([](Script& script) { return !script.calls.empty(); });
      throw std::runtime_error("input/output error");  // an istream's badbit
    }
    setg(chunk_.data(), chunk_.data(), chunk_.data() + chunk_.size());
    return traits_type::to_int_type(*gptr());
  }

 private:
  FakeDaemon& daemon_;
  std::string chunk_;
  bool delivered_ = false;
};

TEST_F(ImageCommands, ImportIsCancelledWhenTheSourceFailsHalfWay) {
  FailingInput buffer(daemon);
  std::istream failing(&buffer);
  odd_input = &failing;
  const Ran ran = run({"image", "import", "x", "-"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("error: cannot read standard input"));
  EXPECT_TRUE(daemon.wait_until([](Script& script) { return script.import_cancelled; }));
}

TEST_F(ImageCommands, ShowTellsEverything) {
  EXPECT_EQ(run({"image", "show", "debian-12"}).out,
            "Name:             debian-12\n"
            "Project:          default\n"
            "State:            ACTIVE\n"
            "Visibility:       private\n"
            "Format:           qcow2\n"
            "Firmware:         bios\n"
            "File size:        184 MiB\n"
            "Virtual size:     2 GiB\n"
            "Minimum memory:   512 MiB\n"
            "SHA-256:          " +
                std::string(64, 'a') +
                "\n"
                "Created:          2026-11-23T04:55:00Z (5 min ago)\n"
                "UID:              7c1d0000-0000-5000-8000-000000000001\n"
                "Etag:             4\n");
}

const char* const kUrl = "https://images.example/debian.qcow2";

TEST_F(ImageCommands, ImportOfAUrlIsTheDaemonsAndIsWaitedFor) {
  v1::Image importing = daemon.script().images.front();
  importing.set_state(v1::Image::IMPORTING);
  importing.set_received_bytes(46 << 20);
  importing.set_expected_bytes(184 << 20);
  daemon.script().image_answers = {importing, importing, daemon.script().images.front()};
  err_is_terminal = true;
  time_runs = true;
  const Ran ran = run({"image", "import", "debian-12", kUrl, "--sha256", std::string(64, 'A'),
                       "--public", "--property", "os_distro=debian", "--request-id",
                       "5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(daemon.calls().front().method, "ImportImageFromUrl");
  EXPECT_EQ(daemon.calls().front().request,
            "parent: \"projects/default\" image_id: \"debian-12\" image { firmware: BIOS "
            "visibility: PUBLIC properties { key: \"os_distro\" value: \"debian\" } } url: \"" +
                std::string(kUrl) + "\" sha256: \"" + std::string(64, 'a') +
                "\" request_id: \"5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a\"");
  EXPECT_THAT(ran.err, AllOf(HasSubstr(" 25 % 46 MiB of 184 MiB"), ::testing::EndsWith("\x1b[K")));
  EXPECT_THAT(ran.out, HasSubstr("debian-12   ACTIVE"));
}

TEST_F(ImageCommands, ImportOfAUrlNeedNotBeWaitedFor) {
  v1::Image importing = daemon.script().images.front();
  importing.set_state(v1::Image::IMPORTING);
  daemon.script().image_answers = {importing};
  const Ran ran = run({"image", "import", "debian-12", kUrl, "--no-wait"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("debian-12   IMPORTING"));
  EXPECT_EQ(daemon.calls().size(), 1U);
}

TEST_F(ImageCommands, AFailedImportOfAUrlSaysWhy) {
  v1::Image failed = daemon.script().images.front();
  failed.set_state(v1::Image::FAILED);
  failed.set_failure("https://images.example/debian.qcow2 is not there (HTTP 404)");
  daemon.script().image_answers = {failed};
  const Ran ran = run({"image", "import", "debian-12", kUrl});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err,
            "error: image debian-12 could not be imported: "
            "https://images.example/debian.qcow2 is not there (HTTP 404)\n");
}

TEST_F(ImageCommands, WaitingForAnImportEndsInTheEndAndTheImportGoesOn) {
  v1::Image importing = daemon.script().images.front();
  importing.set_state(v1::Image::IMPORTING);
  daemon.script().image_answers = {importing};
  time_runs = true;
  const Ran ran = run({"image", "import", "debian-12", kUrl, "--timeout", "1"});
  EXPECT_EQ(ran.code, 6);
  EXPECT_THAT(ran.err, HasSubstr("debian-12 is still being imported after 1 s"));
}

TEST_F(ImageCommands, CtrlCEndsTheWaitingAndSaysThatTheImportGoesOn) {
  v1::Image importing = daemon.script().images.front();
  importing.set_state(v1::Image::IMPORTING);
  daemon.script().image_answers = {importing};
  interrupt.when = [](const std::string&, const std::string& err) {
    return err.find("debian-12") != std::string::npos;
  };
  const Ran ran = run({"image", "import", "debian-12", kUrl});
  EXPECT_EQ(ran.code, 1);
  EXPECT_FALSE(interrupt.gave_up());
  EXPECT_THAT(ran.err, HasSubstr("the import of debian-12 goes on: see image show debian-12"));
}

TEST_F(ImageCommands, ListAndShowTellHowFarAnImportIs) {
  v1::Image& image = daemon.script().images.front();
  image.set_state(v1::Image::IMPORTING);
  image.set_received_bytes(46 << 20);
  image.set_expected_bytes(184 << 20);
  image.set_source_url(kUrl);
  EXPECT_THAT(run({"image", "list"}).out, HasSubstr("IMPORTING 25 %"));
  EXPECT_THAT(run({"image", "show", "debian-12"}).out,
              AllOf(HasSubstr("Received:         46 MiB of 184 MiB\n"),
                    HasSubstr("Source:           " + std::string(kUrl) + "\n")));
}

TEST_F(ImageCommands, ShowTellsFailurePropertiesAndWhatAPublicImageLacks) {
  v1::Image& image = daemon.script().images.front();
  image.set_state(v1::Image::FAILED);
  image.set_failure("not there");
  image.set_visibility(v1::Image::PUBLIC);
  (*image.mutable_properties())["os_distro"] = "debian";
  EXPECT_THAT(run({"image", "show", "debian-12"}).out,
              AllOf(HasSubstr("FAILED"), HasSubstr("not there"), HasSubstr("os_distro=debian"),
                    HasSubstr("public"), HasSubstr("SCS-0102 lacks"),
                    HasSubstr("architecture, os_version, hw_disk_bus")));
}

TEST_F(ImageCommands, UpdateKeepsTheLabelsAndPropertiesThatItDoesNotName) {
  v1::Image& image = daemon.script().images.front();
  image.set_etag("7");
  (*image.mutable_labels())["app"] = "web";
  (*image.mutable_labels())["owner"] = "town";
  (*image.mutable_properties())["os_distro"] = "debian";
  (*image.mutable_properties())["os_version"] = "11";
  const Ran ran = run({"image", "update", "debian-12", "--label", "tier=gold", "--unlabel", "app",
                       "--property", "os_version=12", "--unproperty", "os_distro"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Labels:           app=web, owner=town\n")) << "the answer's";
  EXPECT_THAT(
      daemon.calls().back().request,
      AllOf(HasSubstr("labels { key: \"owner\" value: \"town\" }"),
            HasSubstr("labels { key: \"tier\" value: \"gold\" }"), Not(HasSubstr("\"app\"")),
            HasSubstr("properties { key: \"os_version\" value: \"12\" }"),
            Not(HasSubstr("os_distro")), HasSubstr("etag: \"7\""),
            HasSubstr("update_mask { paths: \"labels\" paths: \"properties\" }")));
}

TEST_F(ImageCommands, UpdateSendsWhatIsToChangeAndNothingElse) {
  const Ran ran = run({"image", "update", "debian-12", "--public", "--property", "os_version=12",
                       "--min-memory", "1GiB", "--etag", "4", "--request-id",
                       "5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(daemon.calls().back().request,
            "image { name: \"projects/default/images/debian-12\" min_memory_bytes: 1073741824 "
            "visibility: PUBLIC properties { key: \"os_version\" value: \"12\" } } "
            "update_mask { paths: \"properties\" paths: \"visibility\" "
            "paths: \"min_memory_bytes\" } etag: \"4\" "
            "request_id: \"5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a\"");
  EXPECT_EQ(run({"image", "update", "debian-12"}).code, 2);
  EXPECT_EQ(run({"image", "update", "debian-12", "--public", "--private"}).code, 2);
  EXPECT_EQ(run({"image", "update", "debian-12", "--property", "x"}).code, 2);
}

TEST_F(ImageCommands, ListShowsWhoseAnImageIsWhenItIsAnothers) {
  v1::Image other = daemon.script().images.front();
  other.set_name("projects/town/images/fedora");
  other.set_visibility(v1::Image::PUBLIC);
  daemon.script().images.push_back(other);
  EXPECT_THAT(run({"image", "list"}).out, AllOf(HasSubstr("PROJECT"), HasSubstr("town")));
  EXPECT_THAT(daemon.calls().back().request, HasSubstr("include_public: true"));
  run({"image", "list", "--own"});
  EXPECT_THAT(daemon.calls().back().request, Not(HasSubstr("include_public")));
}

TEST_F(ImageCommands, ListAndDelete) {
  EXPECT_THAT(run({"image", "list", "-o", "wide"}).out,
              AllOf(HasSubstr("FIRMWARE"), HasSubstr("debian-12   ACTIVE")));
  EXPECT_THAT(run({"image", "list", "-o", "json"}).out, HasSubstr("\"state\": \"ACTIVE\""));
  EXPECT_EQ(run({"image", "delete", "debian-12"}).out, "image debian-12 is being deleted\n");
  EXPECT_EQ(run({"image", "delete", "nothing"}).code, 3);
}

}  // namespace
}  // namespace stellwerk::test
