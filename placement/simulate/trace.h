// What came and went: rows of a CSV trace, checked one by one. Nothing is skipped and nothing is
// guessed: what is wrong ends the reading with file, line, column and reason. Pure; who reads the
// file hands in its lines.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/group.h"
#include "core/status.h"

namespace stellwerk::placement::simulate {

// About three centuries, so that no sum of times overflows.
inline constexpr int64_t kMostSeconds = 10'000'000'000;
inline constexpr int64_t kNever = INT64_MAX;  // a departure beyond the trace
inline constexpr uint32_t kNoGroup = UINT32_MAX;
inline constexpr size_t kMostRows = 20'000'000;
inline constexpr size_t kLongestLine = 4096;
inline constexpr size_t kLongestName = 128;

struct TraceRow {
  int64_t arrival = 0;         // seconds since the trace's own zero
  int64_t departure = kNever;  // not before `arrival`
  int64_t memory_mib = 0;
  int64_t lifetime_hint = -1;  // seconds, counted from the arrival; -1: none
  uint32_t project = 0;        // an index into Trace::projects
  uint32_t group = kNoGroup;   // an index into Trace::groups
  int32_t vcpus = 0;
  int32_t priority = 0;  // the higher the more urgent
  int16_t gpus = 0;
  int16_t numa_nodes = 0;
  friend bool operator==(const TraceRow&, const TraceRow&) = default;
};

struct TraceGroup {
  std::string id;
  GroupRule rule;
};

// Columns of texts are kept as indices, so that a replay touches numbers alone.
class Trace {
 public:
  const std::vector<TraceRow>& rows() const { return rows_; }
  const std::vector<std::string>& projects() const { return projects_; }
  const std::vector<TraceGroup>& groups() const { return groups_; }
  std::string_view instance(size_t row) const;

  // `count` rows, or as many as there are, after `first` others. Groups and projects stay.
  absl::StatusOr<Trace> part(size_t first, size_t count) const;

 private:
  friend class TraceParser;

  std::vector<TraceRow> rows_;
  std::vector<std::string> projects_;
  std::vector<TraceGroup> groups_;
  std::string names_;                // of all instances, after each other
  std::vector<uint64_t> name_ends_;  // of each row's in `names_`
};

// Takes the lines in their order, without what ends them; a carriage return before the end of a
// line and a byte order mark before the first are taken off here.
class TraceParser {
 public:
  // `origin` names the file in messages.
  explicit TraceParser(std::string origin) : origin_(std::move(origin)) {}

  absl::Status take(std::string_view line);
  // After the last line. Duplicates are found here.
  absl::StatusOr<Trace> finish();

 private:
  // In the order of kColumns, of which the first seven are always there.
  enum class Column : uint8_t;
  struct Field {
    Column column;
    std::string_view text;
  };

  absl::Status take_header(std::string_view line);
  absl::Status take_row(std::string_view line);
  absl::Status take_fields(const std::vector<std::string_view>& fields);
  absl::Status take_group(const std::vector<std::string_view>& fields, TraceRow& row);
  absl::Status check_row(const TraceRow& row, std::string_view name) const;
  absl::StatusOr<int64_t> number(const Field& field, int64_t least, int64_t most) const;
  absl::StatusOr<int64_t> number_or(const Field& field, int64_t most, int64_t otherwise) const;
  absl::Status check_name(const Field& field) const;
  std::string_view text_of(const std::vector<std::string_view>& fields, Column column) const;
  uint32_t project_number(std::string_view project);
  absl::Status wrong(Column column, std::string_view reason) const;
  absl::Status wrong_line(std::string_view reason) const;

  const std::string origin_;
  size_t line_ = 0;
  std::vector<Column> columns_;  // as the header orders them
  std::vector<int> place_;       // of each known column in a line; -1: not there
  Trace trace_;
  std::map<std::string, uint32_t, std::less<>> projects_;
  std::map<std::string, uint32_t, std::less<>> groups_;
};

}  // namespace stellwerk::placement::simulate
