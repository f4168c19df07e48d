// What a client may ask for, drawn at random: from few names, so that requests meet.
#pragma once

#include <string>

#include "orchestrator/controller/requests.h"
#include "tests/sim/cell_plan.h"
#include "tests/sim/fleet_operations.h"
#include "tests/sim/operation.h"
#include "tests/sim/random.h"

namespace stellwerk::sim {

class Operations {
 public:
  Operations(const CellPlan& plan, Random random)
      : random_(random), fleet_(plan, random.fork("fleet")) {}

  // What has to be there before instances can be: projects, an image each, flavors.
  std::vector<Operation> preparations();
  Operation any();
  Operation create(const std::string& project, const std::string& id);
  // Several at once, all or none.
  Operation book(const std::string& project);
  // What a booking would meet.
  controller::ExplainPlacement inquiry();
  Operation remove(const std::string& project, const std::string& id) const;

 private:
  Operation change_instance(const std::string& project, const std::string& id);
  Operation change_life(const std::string& project, const std::string& id);
  Operation update(const std::string& project, const std::string& id);
  Operation limit(const std::string& project);
  Operation change_resource();
  Operation create_network(const std::string& project);
  std::vector<controller::PortRequest> ports();
  // Its group, where it is to run, and whether it is protected; the words for it.
  std::string draw_placing(controller::CreateInstance& create);
  controller::CreateInstances draw_booking(const std::string& project);

  Random random_;
  FleetOperations fleet_;
};

}  // namespace stellwerk::sim
