#include "tests/sim/service.h"

namespace stellwerk::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

Duration Service::soon() const {
  return stage_.delays.between(milliseconds(1), milliseconds(40));
}

void Service::begin() {
  if (runs() || !machine_.powered) return;
  stage_.log.add("{}: begins", name_);
  start();
}

void Service::begin_later(Duration delay) {
  stage_.schedule.after(delay, [this] { begin(); });
}

void Service::kill(std::string_view why) {
  if (!runs()) return;
  stage_.log.add("{}: killed ({})", name_, why);
  end(false);
  begin_later(stage_.delays.between(milliseconds(100), seconds(5)));
}

void Service::power_cut() {
  if (!machine_.powered) return;
  stage_.world.cut_power(machine_);
  end(true);
  stage_.schedule.after(stage_.delays.between(seconds(5), seconds(30)), [this] {
    stage_.world.restore_power(machine_);
    begin_later(stage_.delays.between(seconds(1), seconds(5)));
  });
}

}  // namespace stellwerk::sim
