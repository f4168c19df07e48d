// Reading a request while collecting its mistakes, so that all of them are told at once. A part
// that cannot be read is left empty in what is returned. Used by the translations of this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/convert/names.h"
#include "core/model.h"
#include "core/status.h"

namespace stellwerk::convert {

// More than any machine holds, little enough that sums over a few of them stay far from overflow.
inline constexpr Bytes kMostBytes{int64_t{1} << 50};

struct IntegerField {
  std::string_view field;
  int64_t value = 0;
  int64_t most = 0;
};

class RequestReader {
 public:
  void add(std::string_view field, std::string_view problem);
  // A reason that the mistake has becomes that of the whole.
  void add(std::string_view field, const absl::Status& mistake);
  void add_if(std::string_view field, const std::optional<std::string>& problem);

  ResourceName name(std::string_view field, std::string_view text, ResourceKind kind);
  // A project's id from its name.
  std::string parent(std::string_view field, std::string_view text);
  // The same, or "-" for `projects/-`: of all projects.
  std::string parent_or_all(std::string_view field, std::string_view text);
  std::string label_id(std::string_view field, std::string_view text);
  // 0 to `most`.
  int64_t amount(const IntegerField& integer);
  Bytes size(std::string_view field, int64_t bytes);
  // "" or what may be a resource's etag.
  std::string etag(std::string_view text);
  RequestId request_id(std::string_view text, const RequestId& fallback);
  int64_t page_size(int32_t asked);
  std::string page_token(const std::string& text);
  std::optional<Sha256> digest(std::string_view field, std::string_view hex);

  template <class WireMap>
  Labels labels(std::string_view field, const WireMap& wire) {
    Labels result(wire.begin(), wire.end());
    return checked_labels(field, std::move(result));
  }

  // invalid_fields, or OK.
  absl::Status status() const;
  std::vector<FieldViolation> take() { return std::move(violations_); }

 private:
  Labels checked_labels(std::string_view field, Labels labels);

  std::vector<FieldViolation> violations_;
  std::optional<std::string> reason_;
};

}  // namespace stellwerk::convert
