// Waits for the daemon to fetch an image, and shows how far it is. One thread.
#pragma once

#include "api/cli/context.h"
#include "stellwerk/v1/images.pb.h"

namespace stellwerk::cli {

// The image once it is active. FailedPrecondition: the import has failed, and why. Cancelled:
// Ctrl-C; DeadlineExceeded with reason WAIT_TIMED_OUT: the import goes on. NotFound: it was deleted
// meanwhile.
absl::StatusOr<v1::Image> wait_for_import(Context& context, v1::Image image, Duration timeout);

}  // namespace stellwerk::cli
