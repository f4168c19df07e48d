#include "placement/simulate/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "core/parse_number.h"
#include "core/suggestion.h"
#include "core/validate.h"
#include "placement/request.h"

namespace stellwerk::placement::simulate {

enum class TraceParser::Column : uint8_t {
  kArrival,
  kDeparture,
  kInstance,
  kProject,
  kVcpus,
  kMemory,
  kPriority,
  kNumaNodes,
  kGroup,
  kGroupPolicy,
  kGroupLevel,
  kLifetimeHint,
  kGpus,
};

namespace {

constexpr std::array<std::string_view, 13> kColumns = {
    "arrival_s",   "departure_s",     "instance",   "project", "vcpus",
    "memory_mib",  "priority",        "numa_nodes", "group",   "group_policy",
    "group_level", "lifetime_hint_s", "gpus"};
constexpr size_t kRequired = 7;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr int64_t kMostPriority = 1'000'000'000;
constexpr int64_t kMostMemoryMib = kMostMemory.count() / mebibytes(1).count();

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

// Why a text that is no whole number is none.
std::string why_no_number(std::string_view text) {
  std::string lower(text.substr(0, 16));
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::string_view digits = std::string_view(lower).substr(
      !lower.empty() && (lower.front() == '-' || lower.front() == '+') ? 1 : 0);
  if (digits.starts_with("inf") || digits.starts_with("nan")) return "is not finite";
  const bool all_digits =
      !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (all_digits && text.size() > digits.size() && text.front() == '-') return "is negative";
  if (all_digits && text.front() != '+') return "is larger than any number here";
  return "is not a whole number";
}

std::optional<GroupRule> rule_of(std::string_view policy, DomainLevel level) {
  constexpr std::string_view kSoft = "soft-";
  GroupRule rule{.level = level};
  if (policy.starts_with(kSoft)) {
    rule.hard = false;
    policy.remove_prefix(kSoft.size());
  }
  for (const GroupPolicy one : {GroupPolicy::kAffinity, GroupPolicy::kAntiAffinity}) {
    if (policy != to_string(one)) continue;
    rule.policy = one;
    return rule;
  }
  return std::nullopt;
}

std::string words_of(const GroupRule& rule) {
  return fmt::format("{}{} at the level {}", rule.hard ? "" : "soft-", to_string(rule.policy),
                     to_string(rule.level));
}

}  // namespace

std::string_view Trace::instance(size_t row) const {
  const size_t begin = row == 0 ? 0 : name_ends_[row - 1];
  return std::string_view(names_).substr(begin, name_ends_[row] - begin);
}

absl::StatusOr<Trace> Trace::part(size_t first, size_t count) const {
  if (first >= rows_.size()) {
    return out_of_range("row {} asked, the trace has {}", first + 1, rows_.size());
  }
  if (count == 0) return invalid_argument("no row is asked; ask for at least one");
  const size_t end = first + std::min(count, rows_.size() - first);
  Trace part;
  part.rows_.assign(rows_.begin() + static_cast<ptrdiff_t>(first),
                    rows_.begin() + static_cast<ptrdiff_t>(end));
  part.projects_ = projects_;
  part.groups_ = groups_;
  for (size_t row = first; row < end; ++row) {
    part.names_ += instance(row);
    part.name_ends_.push_back(part.names_.size());
  }
  return part;
}

absl::Status TraceParser::wrong_line(std::string_view reason) const {
  return invalid_argument("{}:{}: {}", origin_, line_, reason);
}

absl::Status TraceParser::wrong(Column column, std::string_view reason) const {
  return invalid_argument("{}:{}: {}: {}", origin_, line_, kColumns[static_cast<size_t>(column)],
                          reason);
}

absl::Status TraceParser::take(std::string_view line) {
  ++line_;
  if (line_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() > kLongestLine) {
    return wrong_line(fmt::format("has {} bytes; at most {}", line.size(), kLongestLine));
  }
  return line_ == 1 ? take_header(line) : take_row(line);
}

absl::Status TraceParser::take_header(std::string_view line) {
  const std::vector<std::string_view> names = split(line);
  place_.assign(kColumns.size(), -1);
  for (size_t i = 0; i < names.size(); ++i) {
    const auto found = std::ranges::find(kColumns, names[i]);
    if (i < kRequired && (found == kColumns.end() || found != kColumns.begin() + i)) {
      return wrong_line(fmt::format("column {} is {}, not {}; a trace begins with {}", i + 1,
                                    quoted(names[i]), kColumns[i],
                                    fmt::join(std::span(kColumns).first(kRequired), ",")));
    }
    if (found == kColumns.end()) {
      const std::vector<std::string_view> known(kColumns.begin() + kRequired, kColumns.end());
      return wrong_line(fmt::format("column {} is {}, which is none of {}{}", i + 1,
                                    quoted(names[i]), fmt::join(known, ", "),
                                    suggestion(names[i], known)));
    }
    const auto number = static_cast<size_t>(found - kColumns.begin());
    if (place_[number] >= 0) {
      return wrong_line(fmt::format("column {} is {} a second time", i + 1, names[i]));
    }
    place_[number] = static_cast<int>(i);
    columns_.push_back(static_cast<Column>(number));
  }
  if (names.size() >= kRequired) return absl::OkStatus();
  return wrong_line(
      fmt::format("column {} is missing: {}", names.size() + 1, kColumns[names.size()]));
}

absl::Status TraceParser::take_row(std::string_view line) {
  if (line.empty()) return wrong_line("is empty; take the line away");
  if (trace_.rows_.size() == kMostRows) {
    return wrong_line(fmt::format("is more than the {} rows that are read", kMostRows));
  }
  const std::vector<std::string_view> fields = split(line);
  if (fields.size() == columns_.size()) return take_fields(fields);
  const std::string what =
      fields.size() < columns_.size()
          ? fmt::format("{} is missing", kColumns[static_cast<size_t>(columns_[fields.size()])])
          : fmt::format("{} stands in no column", quoted(fields[columns_.size()]));
  return wrong_line(
      fmt::format("has {} fields, the header {}: {}", fields.size(), columns_.size(), what));
}

std::string_view TraceParser::text_of(const std::vector<std::string_view>& fields,
                                      Column column) const {
  const int place = place_[static_cast<size_t>(column)];
  return place < 0 ? std::string_view() : fields[static_cast<size_t>(place)];
}

absl::StatusOr<int64_t> TraceParser::number(const Field& field, int64_t least, int64_t most) const {
  if (field.text.empty()) return wrong(field.column, "is empty");
  const auto value = parse_number<int64_t>(field.text);
  if (!value) {
    return wrong(field.column, fmt::format("{} {}; {} to {} are possible", quoted(field.text),
                                           why_no_number(field.text), least, most));
  }
  if (*value >= least && *value <= most) return *value;
  return wrong(field.column, fmt::format("{} {}; {} to {} are possible", *value,
                                         *value < 0       ? "is negative"
                                         : *value < least ? "is too little"
                                                          : "is too much",
                                         least, most));
}

absl::StatusOr<int64_t> TraceParser::number_or(const Field& field, int64_t most,
                                               int64_t otherwise) const {
  if (field.text.empty()) return otherwise;
  return number(field, 0, most);
}

absl::Status TraceParser::check_name(const Field& field) const {
  if (field.text.empty()) return wrong(field.column, "is empty");
  if (field.text.size() > kLongestName) {
    return wrong(field.column,
                 fmt::format("has {} bytes; at most {}", field.text.size(), kLongestName));
  }
  const auto is_odd = [](unsigned char c) { return c <= ' ' || c == '"' || c == 0x7F; };
  if (std::ranges::none_of(field.text, is_odd)) return absl::OkStatus();
  return wrong(field.column, fmt::format("{} has a space, a quotation mark or a control character",
                                         quoted(field.text)));
}

uint32_t TraceParser::project_number(std::string_view project) {
  const auto found = projects_.find(project);
  if (found != projects_.end()) return found->second;
  const auto number = static_cast<uint32_t>(trace_.projects_.size());
  trace_.projects_.emplace_back(project);
  projects_.emplace(project, number);
  return number;
}

absl::Status TraceParser::take_fields(const std::vector<std::string_view>& fields) {
  const auto field = [&](Column column) { return Field{column, text_of(fields, column)}; };
  TraceRow row;
  SW_ASSIGN_OR_RETURN(row.arrival, number(field(Column::kArrival), 0, kMostSeconds));
  SW_ASSIGN_OR_RETURN(row.departure, number_or(field(Column::kDeparture), kMostSeconds, kNever));
  SW_RETURN_IF_ERROR(check_name(field(Column::kInstance)));
  SW_RETURN_IF_ERROR(check_name(field(Column::kProject)));
  SW_ASSIGN_OR_RETURN(row.vcpus, number(field(Column::kVcpus), 1, kMostVcpus));
  SW_ASSIGN_OR_RETURN(row.memory_mib, number(field(Column::kMemory), 1, kMostMemoryMib));
  SW_ASSIGN_OR_RETURN(row.priority, number(field(Column::kPriority), 0, kMostPriority));
  SW_ASSIGN_OR_RETURN(row.numa_nodes, number_or(field(Column::kNumaNodes), 4, 0));
  SW_ASSIGN_OR_RETURN(row.lifetime_hint, number_or(field(Column::kLifetimeHint), kMostSeconds, -1));
  SW_ASSIGN_OR_RETURN(row.gpus, number_or(field(Column::kGpus), kMostDevices, 0));
  SW_RETURN_IF_ERROR(check_row(row, text_of(fields, Column::kDeparture)));
  SW_RETURN_IF_ERROR(take_group(fields, row));
  row.project = project_number(text_of(fields, Column::kProject));
  trace_.names_ += text_of(fields, Column::kInstance);
  trace_.name_ends_.push_back(trace_.names_.size());
  trace_.rows_.push_back(row);
  return absl::OkStatus();
}

absl::Status TraceParser::check_row(const TraceRow& row, std::string_view departure) const {
  if (!trace_.rows_.empty() && row.arrival < trace_.rows_.back().arrival) {
    return wrong(Column::kArrival, fmt::format("{} comes after {}; sort the rows by arrival",
                                               row.arrival, trace_.rows_.back().arrival));
  }
  if (row.departure < row.arrival) {
    return wrong(Column::kDeparture,
                 fmt::format("{} is before the arrival at {}", departure, row.arrival));
  }
  if (row.numa_nodes == 3) {
    return wrong(Column::kNumaNodes, "a guest has 1, 2 or 4 nodes, or 0: it does not care");
  }
  if (row.numa_nodes > 0 && row.vcpus % row.numa_nodes != 0) {
    return wrong(Column::kNumaNodes, fmt::format("{} vCPUs cannot be shared evenly by {} nodes",
                                                 row.vcpus, row.numa_nodes));
  }
  return absl::OkStatus();
}

absl::Status TraceParser::take_group(const std::vector<std::string_view>& fields, TraceRow& row) {
  const std::string_view id = text_of(fields, Column::kGroup);
  const std::string_view policy = text_of(fields, Column::kGroupPolicy);
  const std::string_view level_text = text_of(fields, Column::kGroupLevel);
  if (id.empty()) {
    if (!policy.empty()) return wrong(Column::kGroupPolicy, "is given without a group");
    if (!level_text.empty()) return wrong(Column::kGroupLevel, "is given without a group");
    return absl::OkStatus();
  }
  SW_RETURN_IF_ERROR(check_name({Column::kGroup, id}));
  const auto level = parse_domain_level(level_text.empty() ? "host" : level_text);
  if (!level) {
    return wrong(Column::kGroupLevel,
                 fmt::format("{} is none of host, rack, zone, site", quoted(level_text)));
  }
  const auto rule = rule_of(policy, *level);
  if (!rule) {
    return wrong(Column::kGroupPolicy,
                 fmt::format("{} is none of affinity, anti-affinity, soft-affinity, "
                             "soft-anti-affinity",
                             quoted(policy)));
  }
  const auto found = groups_.find(id);
  if (found == groups_.end()) {
    row.group = static_cast<uint32_t>(trace_.groups_.size());
    trace_.groups_.push_back({std::string(id), *rule});
    groups_.emplace(id, row.group);
    return absl::OkStatus();
  }
  row.group = found->second;
  const GroupRule& before = trace_.groups_[row.group].rule;
  if (before == *rule) return absl::OkStatus();
  return wrong(before.level == rule->level ? Column::kGroupPolicy : Column::kGroupLevel,
               fmt::format("group {} is {} here and {} in an earlier row", quoted(id),
                           words_of(*rule), words_of(before)));
}

absl::StatusOr<Trace> TraceParser::finish() {
  if (line_ == 0) return invalid_argument("{}: is empty; a trace begins with its columns", origin_);
  if (trace_.rows_.empty()) return invalid_argument("{}: has no row after its columns", origin_);
  std::vector<uint32_t> order(trace_.rows_.size());
  std::iota(order.begin(), order.end(), 0);
  // Rows of one name side by side, in their order.
  std::sort(order.begin(), order.end(), [this](uint32_t a, uint32_t b) {
    const int compared = trace_.instance(a).compare(trace_.instance(b));
    return compared != 0 ? compared < 0 : a < b;
  });
  uint32_t second = UINT32_MAX;
  uint32_t first = 0;
  for (size_t i = 1; i < order.size(); ++i) {
    if (order[i] > second || trace_.instance(order[i]) != trace_.instance(order[i - 1])) continue;
    second = order[i];
    first = order[i - 1];
  }
  if (second == UINT32_MAX) return std::move(trace_);
  line_ = second + 2;
  return wrong(Column::kInstance, fmt::format("{} is in line {} already; each row is an instance",
                                              quoted(trace_.instance(second)), first + 2));
}

}  // namespace stellwerk::placement::simulate
