#include <malloc.h>

#include "api/daemon/program.h"

namespace {

// Each thread that allocates at the same time as another would get an arena of its own, and what it
// frees would stay there: some megabytes for nothing, with twenty threads that mostly wait.
constexpr int kArenas = 2;

}  // namespace

int main(int argc, char** argv) {
  ::mallopt(M_ARENA_MAX, kArenas);
  return stellwerk::daemon::run_program(argc, argv);
}
