// What a client may ask for, drawn at random: from few names, so that requests meet.
#pragma once

#include <string>

#include "orchestrator/controller/requests.h"
#include "tests/sim/random.h"

namespace stellwerk::sim {

struct Operation {
  controller::MutationBody body;
  std::string text;  // for the log and as the request's content
};

class Operations {
 public:
  explicit Operations(Random random) : random_(random) {}

  // What has to be there before instances can be: projects, an image each, flavors.
  std::vector<Operation> preparations() const;
  Operation any();
  Operation create(const std::string& project, const std::string& id);
  Operation remove(const std::string& project, const std::string& id) const;

 private:
  Operation change_instance(const std::string& project, const std::string& id);
  Operation change_life(const std::string& project, const std::string& id);
  Operation update(const std::string& project, const std::string& id);
  Operation limit(const std::string& project);
  Operation change_resource();
  Operation create_network(const std::string& project);
  std::vector<controller::PortRequest> ports();

  Random random_;
};

}  // namespace stellwerk::sim
