#include "api/cli/import.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "api/cli/exit_code.h"
#include "api/cli/files.h"
#include "api/cli/format.h"
#include "api/cli/progress.h"
#include "api/client/image_upload.h"
#include "core/units.h"

namespace stellwerk::cli {
namespace {

constexpr size_t kBarWidth = 30;

class StreamSource final : public client::ByteSource {
 public:
  StreamSource(Context& context, std::istream& in, std::string label, int64_t total)
      : context_(context),
        in_(in),
        label_(std::move(label)),
        total_(total),
        started_(context.now().monotonic),
        line_(context.err(), {.terminal = context.environment.err_is_terminal,
                              .colour = false,
                              .width = context.environment.err_width}) {}

  absl::StatusOr<size_t> read(std::span<char> buffer) override {
    show();
    in_.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    if (in_.bad()) return data_loss("cannot read {}; nothing was imported", label_);
    const auto count = static_cast<size_t>(in_.gcount());
    sent_ += static_cast<int64_t>(count);
    return count;
  }

  bool rewind() override {
    if (total_ == 0) return false;
    in_.clear();
    in_.seekg(0);
    sent_ = 0;
    return in_.good();
  }

 private:
  void show() {
    if (!context_.environment.err_is_terminal) return;
    const MonotonicTime now = context_.now().monotonic;
    if (shown_ && now - *shown_ < kProgressTick) return;
    shown_ = now;
    line_.show(label_ + " ", progress(), rate(now - started_));
  }

  std::string progress() const {
    if (total_ == 0) return to_string(Bytes(sent_));
    return fmt::format("{} {} of {}", progress_bar(sent_, total_, kBarWidth),
                       to_string(Bytes(sent_)), to_string(Bytes(total_)));
  }

  std::string rate(Duration elapsed) const {
    const double seconds = std::chrono::duration<double>(elapsed).count();
    if (seconds < 0.5) return "";
    const auto per_second = static_cast<int64_t>(static_cast<double>(sent_) / seconds);
    return fmt::format(", {}/s", to_string(Bytes(per_second)));
  }

  Context& context_;
  std::istream& in_;
  std::string label_;
  int64_t total_;  // zero: not known, and cannot be rewound
  int64_t sent_ = 0;
  MonotonicTime started_;
  std::optional<MonotonicTime> shown_;
  ProgressLine line_;
};

absl::StatusOr<v1::Image> send(Context& context, std::istream& in, const std::string& label,
                               const v1::ImportImageRequest::Spec& spec) {
  StreamSource source(context, in, label, spec.size_bytes());
  return client::upload_image(context.client, spec, source);
}

}  // namespace

absl::StatusOr<v1::Image> import_image(Context& context, const std::string& path,
                                       v1::ImportImageRequest::Spec spec) {
  if (path == "-") return send(context, context.environment.in, "standard input", spec);
  const std::filesystem::path file_path(path);
  std::error_code error;
  if (std::filesystem::is_directory(file_path, error)) {
    return usage_error("cannot read {}: it is a directory", quoted_path(path));
  }
  std::ifstream file(file_path, std::ios::binary);
  if (!file) return usage_error("cannot read {}: {}", quoted_path(path), strerror(errno));
  if (std::filesystem::is_regular_file(file_path, error)) {
    spec.set_size_bytes(static_cast<int64_t>(std::filesystem::file_size(file_path, error)));
  }
  return send(context, file, file_path.filename().string(), spec);
}

}  // namespace stellwerk::cli
