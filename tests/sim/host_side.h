// The host's half of a process: its agent, and its way to whichever controller serves. One life.
#pragma once

#include <functional>
#include <utility>

#include "orchestrator/controller/controller.h"
#include "tests/sim/agent_shell.h"
#include "tests/sim/link.h"
#include "tests/sim/stage.h"

namespace stellwerk::sim {

class HostSide;

// Where hosts find the controller.
class Reception {
 public:
  virtual ~Reception() = default;
  // Tells the side when a controller begins to serve, and when it is gone.
  virtual void enter(HostSide& side) = 0;
  virtual void leave(HostSide& side) = 0;
  virtual bool is_serving() const = 0;
  virtual void host_connects(HostHello hello) = 0;
  virtual void host_reports(HostStatus status) = 0;
  // The controller notices after a while.
  virtual void host_is_lost(const HostUid& host) = 0;
};

class HostSide {
 public:
  HostSide(const Stage& stage, Machine& machine, Life& life, Executor& executor, CellUid cell,
           Reception& reception);
  ~HostSide();
  HostSide(const HostSide&) = delete;
  HostSide& operator=(const HostSide&) = delete;

  const HostUid& host() const { return machine_.uid; }
  bool is_linked() const { return link_.is_up(); }
  void start();
  void controller_serves();
  void controller_is_gone();
  void send_orders(HostOrders orders);
  // Controller and agent lose sight of each other for a while.
  void break_link();

 private:
  void connect_after(Duration delay);
  void connect();

  const Stage& stage_;
  Machine& machine_;
  Life& life_;
  const CellUid cell_;
  Reception& reception_;
  Link link_;
  AgentShell agent_;
};

}  // namespace stellwerk::sim
