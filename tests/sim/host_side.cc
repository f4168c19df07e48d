#include "tests/sim/host_side.h"

namespace stellwerk::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

HostSide::HostSide(const Stage& stage, Machine& machine, Life& life, Executor& executor,
                   CellUid cell, Reception& reception)
    : stage_(stage),
      machine_(machine),
      life_(life),
      cell_(cell),
      reception_(reception),
      link_(stage, life),
      agent_(stage, life, executor, {.cell = cell, .host = machine.uid}, [this](HostStatus status) {
        link_.to_controller(
            [this, status = std::move(status)] { reception_.host_reports(status); });
      }) {
  machine_.listener = [this](const hypervisor::DomainEvent& event) {
    agent_.domain_changes(event);
  };
  reception_.enter(*this);
}

HostSide::~HostSide() {
  machine_.listener = nullptr;
  reception_.leave(*this);
  if (link_.is_up()) reception_.host_is_lost(machine_.uid);
}

void HostSide::start() {
  agent_.start();
  if (reception_.is_serving()) controller_serves();
}

void HostSide::controller_serves() {
  connect_after(stage_.delays.between(milliseconds(1), milliseconds(40)));
}

void HostSide::controller_is_gone() {
  link_.break_off();
}

void HostSide::connect_after(Duration delay) {
  life_.after(delay, [this] {
    if (reception_.is_serving() && !link_.is_up()) connect();
  });
}

void HostSide::connect() {
  link_.connect();
  link_.to_controller(
      [this, hello = HostHello{.cell = cell_,
                               .host = machine_.uid,
                               .id = machine_.id,
                               .facts = machine_.facts,
                               .reserve = machine_.reserve}] { reception_.host_connects(hello); });
}

void HostSide::send_orders(HostOrders orders) {
  link_.to_agent([this, orders = std::move(orders)] { agent_.orders_arrive(orders); });
}

void HostSide::break_link() {
  if (!link_.is_up()) return;
  stage_.log.add("link to {}: breaks", machine_.id);
  link_.break_off();
  reception_.host_is_lost(machine_.uid);
  life_.after(stage_.delays.between(seconds(2), seconds(45)), [this] {
    if (link_.is_up() || !reception_.is_serving()) return;
    stage_.log.add("link to {}: is back", machine_.id);
    connect();
  });
}

}  // namespace stellwerk::sim
