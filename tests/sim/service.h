// A unit that systemd keeps alive on one machine: a process that begins, may be killed at any
// moment or lose its machine's power, and is begun anew. All its soft state goes with it.
#pragma once

#include <string>
#include <string_view>

#include "tests/sim/stage.h"

namespace stellwerk::sim {

class Service {
 public:
  Service(const Stage& stage, Machine& machine, std::string name)
      : stage_(stage), machine_(machine), name_(std::move(name)) {}
  virtual ~Service() = default;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Starts the process unless it runs or the machine has no power.
  void begin();
  // Ends the process now; systemd begins the next after a moment.
  void kill(std::string_view why);
  void power_cut();

 protected:
  virtual bool runs() const = 0;
  virtual void start() = 0;
  virtual void end(bool power_cut) = 0;

  // A moment, as the stages of a beginning process take.
  Duration soon() const;

  const Stage& stage_;
  Machine& machine_;

 private:
  void begin_later(Duration delay);

  const std::string name_;
};

}  // namespace stellwerk::sim
