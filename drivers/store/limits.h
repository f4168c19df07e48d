// The checks that every implementation of Store makes before it writes, so that all refuse the
// same batches with the same words. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "core/status.h"
#include "drivers/store/store.h"

namespace stellwerk::store {

inline constexpr size_t kMaxKeyBytes = 256;
inline constexpr size_t kMaxValueBytes = 128 << 10;

// InvalidArgument when a key or value breaks its rules, a key comes twice or the batch is too
// large. Names the key and the limit.
absl::Status check_batch(const Batch& batch);

// "epoch 2, sequence 17 of <incarnation>", or "none".
std::string show(const std::optional<Head>& head);

// Aborted, if `actual` is not what the writer expects to find.
absl::Status check_head(const std::optional<Head>& actual, const std::optional<Head>& expected);
// Aborted, if `actual` is of another epoch or incarnation than `guard`.
absl::Status check_guard(const std::optional<Head>& actual, const Head& guard);

// The head that a takeover of `seen` writes, and the one that the next commit writes.
Head head_after_takeover(const std::optional<Head>& seen, const Uuid& incarnation);
Head head_after_commit(const Head& previous);

}  // namespace stellwerk::store
