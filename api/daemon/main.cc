#include "api/daemon/program.h"

int main(int argc, char** argv) {
  return stellwerk::daemon::run_program(argc, argv);
}
