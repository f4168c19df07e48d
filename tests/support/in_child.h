// Runs a test's body in a forked child, for what must not happen to the test process: namespaces
// of its own, a crash. Call it before the test starts threads.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace stellwerk::testing {

// The child's exit code: what `body` exits with, else 1 if an expectation failed in it, else 0;
// -1 if a signal ended it.
template <class Body>
int in_child(Body body) {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    body();
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int code = 0;
  while (::waitpid(pid, &code, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

}  // namespace stellwerk::testing
