// The command line of stellwerkd, shared by the daemon and by the test program that adds failpoints
// to it.
#pragma once

namespace stellwerk::daemon {

// The process's exit code.
int run_program(int argc, char** argv);

}  // namespace stellwerk::daemon
