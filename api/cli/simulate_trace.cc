#include "api/cli/simulate_trace.h"

#include <lzma.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "api/cli/exit_code.h"
#include "api/cli/files.h"

namespace stellwerk::cli {
namespace {

using placement::simulate::kLongestLine;
using placement::simulate::Trace;
using placement::simulate::TraceParser;

constexpr size_t kChunk = 1 << 20;
constexpr uint64_t kMostDecoderMemory = uint64_t{256} << 20;  // what "xz -9" needs, and more

// The text of a file, piece by piece.
class Source {
 public:
  virtual ~Source() = default;
  // Valid until the next call; empty: the end.
  virtual absl::StatusOr<std::string_view> next() = 0;
};

class PlainSource final : public Source {
 public:
  explicit PlainSource(const std::string& path)
      : path_(path), file_(path, std::ios::binary), buffer_(kChunk) {}

  absl::StatusOr<std::string_view> next() override {
    if (!file_.is_open()) {
      return usage_error("cannot read {}: {}", quoted_path(path_), strerror(errno));
    }
    file_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    if (file_.bad()) return usage_error("cannot read {}: {}", quoted_path(path_), strerror(errno));
    return std::string_view(buffer_.data(), static_cast<size_t>(file_.gcount()));
  }

 private:
  const std::string path_;
  std::ifstream file_;
  std::vector<char> buffer_;
};

std::string_view words_for(lzma_ret code) {
  switch (code) {
    case LZMA_FORMAT_ERROR:
      return "it is no xz file";
    case LZMA_BUF_ERROR:
      return "it ends too early";
    case LZMA_DATA_ERROR:
      return "its data are corrupt";
    case LZMA_MEMLIMIT_ERROR:
      return "it needs more memory than is given to it";
    case LZMA_OPTIONS_ERROR:
      return "it is written in a way that this liblzma does not know";
    default:  // the rest does not happen to those who decode
      return "liblzma cannot decode it";
  }
}

class XzSource final : public Source {
 public:
  explicit XzSource(const std::string& path) : path_(path), packed_(path), buffer_(kChunk) {
    const lzma_ret begun = lzma_stream_decoder(&stream_, kMostDecoderMemory, LZMA_CONCATENATED);
    if (begun != LZMA_OK) failed_ = begun;
  }
  ~XzSource() override { lzma_end(&stream_); }
  XzSource(const XzSource&) = delete;
  XzSource& operator=(const XzSource&) = delete;

  absl::StatusOr<std::string_view> next() override {
    stream_.next_out = buffer_.data();
    stream_.avail_out = buffer_.size();
    while (!ended_ && stream_.avail_out > 0) {
      if (failed_ != LZMA_OK) return damaged(failed_);
      if (stream_.avail_in == 0 && !all_read_) {
        SW_ASSIGN_OR_RETURN(const std::string_view more, packed_.next());
        all_read_ = more.empty();
        stream_.next_in = reinterpret_cast<const uint8_t*>(more.data());
        stream_.avail_in = more.size();
      }
      const lzma_ret code = lzma_code(&stream_, all_read_ ? LZMA_FINISH : LZMA_RUN);
      ended_ = code == LZMA_STREAM_END;
      if (code != LZMA_OK && code != LZMA_STREAM_END) return damaged(code);
    }
    return std::string_view(reinterpret_cast<const char*>(buffer_.data()),
                            buffer_.size() - stream_.avail_out);
  }

 private:
  absl::Status damaged(lzma_ret code) const {
    return usage_error("cannot decompress {}: {}", quoted_path(path_), words_for(code));
  }

  const std::string path_;
  PlainSource packed_;
  std::vector<uint8_t> buffer_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  lzma_ret failed_ = LZMA_OK;
  bool all_read_ = false;
  bool ended_ = false;
};

absl::Status as_usage(const absl::Status& status) {
  return status.ok() ? status : with_reason(status, kUsageReason);
}

// Hands over whole lines; of the last piece the beginning of a line is kept.
class LineFeed {
 public:
  explicit LineFeed(TraceParser& parser) : parser_(parser) {}

  absl::Status take(std::string_view piece) {
    while (!piece.empty()) {
      const size_t end = piece.find('\n');
      if (end == std::string_view::npos) {
        begun_ += piece;
        // Long enough for the parser to refuse it, whatever follows.
        return begun_.size() > 2 * kLongestLine ? finish() : absl::OkStatus();
      }
      if (begun_.empty()) {
        SW_RETURN_IF_ERROR(as_usage(parser_.take(piece.substr(0, end))));
      } else {
        begun_ += piece.substr(0, end);
        SW_RETURN_IF_ERROR(finish());
      }
      piece.remove_prefix(end + 1);
    }
    return absl::OkStatus();
  }

  // Of a line that no newline ends.
  absl::Status finish() {
    if (begun_.empty()) return absl::OkStatus();
    const absl::Status status = parser_.take(begun_);
    begun_.clear();
    return as_usage(status);
  }

 private:
  TraceParser& parser_;
  std::string begun_;
};

std::unique_ptr<Source> open(const std::string& path) {
  if (path.ends_with(".xz")) return std::make_unique<XzSource>(path);
  return std::make_unique<PlainSource>(path);
}

}  // namespace

absl::StatusOr<Trace> read_trace(const std::string& path, uint64_t most_bytes) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return usage_error("cannot read {}: it is a directory", quoted_path(path));
  }
  const std::unique_ptr<Source> source = open(path);
  TraceParser parser(path);
  LineFeed feed(parser);
  uint64_t bytes = 0;
  for (;;) {
    SW_ASSIGN_OR_RETURN(const std::string_view piece, source->next());
    if (piece.empty()) break;
    bytes += piece.size();
    if (bytes > most_bytes) {
      return usage_error("{} has more than {} bytes of text; cut it in parts", quoted_path(path),
                         most_bytes);
    }
    SW_RETURN_IF_ERROR(feed.take(piece));
  }
  SW_RETURN_IF_ERROR(feed.finish());
  absl::StatusOr<Trace> trace = parser.finish();
  if (!trace.ok()) return as_usage(trace.status());
  return trace;
}

}  // namespace stellwerk::cli
