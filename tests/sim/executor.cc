#include "tests/sim/executor.h"

#include <utility>

#include "core/overloaded.h"
#include "orchestrator/agent/cloud_init.h"
#include "orchestrator/agent/executor.h"
#include "orchestrator/records/keys.h"
#include "tests/sim/invariants.h"

namespace stellwerk::sim {
namespace {

using std::chrono::milliseconds;

constexpr Duration kDeadline = std::chrono::seconds(5);

}  // namespace

Executor::Executor(const Stage& stage, Life& life, CellUid cell)
    : stage_(stage),
      life_(life),
      hypervisor_(std::make_shared<SimHypervisor>(stage.world, stage.guests, cell)),
      storage_(stage.world),
      network_(stage.world) {
  if (stage.bug == Bug::kForgetReboots) hypervisor_->stop_recording_reboots();
  if (stage.bug == Bug::kKeepDiskSize) storage_.stop_growing_disks();
}

void Executor::run(const agent::Step& step, Done done) {
  const std::string name =
      fmt::format("{} {}", agent::name_of(step), brief(agent::instance_of(step)));
  stage_.log.add("agent: {} begins", name);
  run_from(std::make_shared<const Calls>(calls_of(step)), 0,
           [this, name, done = std::move(done)](absl::Status result) {
             stage_.log.add("agent: {}: {}", name, result.ok() ? "done" : describe(result));
             done(std::move(result));
           });
}

void Executor::run_from(std::shared_ptr<const Calls> calls, size_t index, Done done) {
  if (index == calls->size()) return done(absl::OkStatus());
  perform((*calls)[index],
          [this, calls, index, done = std::move(done)](absl::Status result) mutable {
            if (!result.ok()) return done(std::move(result));
            run_from(std::move(calls), index + 1, std::move(done));
          });
}

void Executor::perform(const Call& call, Done done) {
  const bool slow = stage_.delays.chance(call.copies ? 500 : 50);
  const Duration delay = slow ? stage_.delays.between(milliseconds(200), std::chrono::seconds(3))
                              : stage_.delays.between(milliseconds(1), milliseconds(60));
  const auto answer_late = [this, done](absl::Status) {
    life_.after(kDeadline, [done] { done(deadline_exceeded("the simulated driver hangs")); });
  };
  switch (stage_.mishaps.driver_call(call.outlives_caller)) {
    case Fate::kDone:
      return happen(call, delay, done);
    case Fate::kAnswerLost:
      return happen(call, delay, answer_late);
    case Fate::kRefused:
      return life_.after(delay, [abandon = call.abandon, done] {
        if (abandon) abandon();
        done(unavailable("the simulated driver refuses"));
      });
    case Fate::kLate:
      answer_late(absl::OkStatus());
      return happen(call, kDeadline + delay, [](absl::Status) {});
  }
}

// A call that outlives its caller happens unless the machine loses power before, or the process
// that it was about has ended: libvirt finds a domain when the call comes in, not when it is done.
void Executor::happen(const Call& call, Duration delay, Done done) {
  const auto pid = [&world = stage_.world, target = call.target]() -> uint64_t {
    if (!target) return 0;
    const auto process = world.machine().find_process(target->value());
    return process == world.machine().processes.end() ? 0 : process->pid;
  };
  Action action = [pid, meant = pid(), effect = call.effect, done = life_.within(std::move(done))] {
    done(pid() == meant ? effect() : not_found("the domain that was meant has ended"));
  };
  if (!call.outlives_caller || !stage_.mishaps.outlives_caller()) {
    return life_.after(delay, std::move(action));
  }
  const std::string boot = stage_.world.machine().facts.boot_id;
  stage_.schedule.after(delay, [boot, name = call.name, action = std::move(action),
                                &world = stage_.world, &log = stage_.log, alive = life_.watch()] {
    if (!world.machine().powered || world.machine().facts.boot_id != boot) return;
    if (!alive()) log.add("hypervisor: a dead daemon's {} happens", name);
    action();
  });
}

Executor::Calls Executor::calls_of(const agent::Step& step) {
  return std::visit(
      Overloaded{
          [&](const agent::PrepareFiles& s) { return calls_for(s); },
          [&](const agent::StartDomain& s) { return calls_for(s); },
          [&](const agent::MarkStarted& s) { return Calls{mark_started(s.instance, s.run)}; },
          [&](const agent::PinDomain& s) {
            const bool ignored = stage_.bug == Bug::kIgnorePins;
            return Calls{domain_call("pin", s.instance, [s, ignored](SimHypervisor& h) {
              return ignored ? absl::OkStatus() : h.pin(s.instance, s.pins);
            })};
          },
          [&](const agent::ResumeDomain& s) {
            return Calls{domain_call("resume", s.instance, [s](SimHypervisor& hypervisor) {
              return hypervisor.resume(s.instance);
            })};
          },
          [&](const agent::RequestShutdown& s) {
            return Calls{domain_call("shutdown", s.instance, [s](SimHypervisor& hypervisor) {
              return hypervisor.request_shutdown(s.instance);
            })};
          },
          [&](const agent::RebootDomain& s) {
            return Calls{domain_call("reboot", s.instance, [s](SimHypervisor& hypervisor) {
              return hypervisor.reboot(s.instance, s.order);
            })};
          },
          [&](const agent::DestroyDomain& s) {
            return Calls{domain_call("destroy", s.instance, [s](SimHypervisor& hypervisor) {
              return hypervisor.destroy(s.instance);
            })};
          },
          [&](const agent::RemovePort& s) {
            return Calls{{.name = "remove-port",
                          .effect = [this, s] { return network_.remove_port(s.interface_name); }}};
          },
          [&](const agent::DeleteFiles& s) {
            return Calls{{.name = "delete-instance",
                          .effect = [this, s] { return storage_.delete_instance(s.instance); }}};
          }},
      step);
}

Executor::Call Executor::hypervisor_call(std::string name,
                                         std::function<absl::Status(SimHypervisor&)> effect) {
  return {.name = std::move(name),
          .effect = [hypervisor = hypervisor_,
                     effect = std::move(effect)] { return effect(*hypervisor); },
          .outlives_caller = true};
}

Executor::Call Executor::domain_call(std::string name, const InstanceUid& target,
                                     std::function<absl::Status(SimHypervisor&)> effect) {
  Call call = hypervisor_call(std::move(name), std::move(effect));
  call.target = target;
  return call;
}

Executor::Call Executor::mark_started(const InstanceUid& instance, Generation run) {
  return {.name = "mark-started",
          .effect = [=, this] { return storage_.mark_started(instance, run); }};
}

Executor::Calls Executor::calls_for(const agent::PrepareFiles& step) {
  const Instance& instance = step.instance;
  storage_.begin_disk(instance.uid);
  const storage::DiskSpec disk{.instance = instance.uid,
                               .image = instance.image,
                               .image_format = instance.image_format,
                               .size = instance.boot_disk};
  const auto seed = [this, step]() -> absl::Status {
    std::string user_data;
    if (step.instance.has_user_data) {
      SW_ASSIGN_OR_RETURN(const auto bytes,
                          stage_.store.get(records::user_data_key(step.instance.uid)));
      if (!bytes) stage_.invariants.fail("the user-data of an instance is gone");
      user_data = bytes.value_or("");
    }
    SW_ASSIGN_OR_RETURN(const storage::SeedSpec spec,
                        agent::make_seed(step.instance, step.networks, std::move(user_data)));
    return storage_.create_seed(spec);
  };
  return {{.name = "create-disk",
           .effect = [this, disk] { return storage_.create_disk(disk); },
           .copies = true,
           .abandon = [this, disk] { storage_.abandon_disk(disk.instance); }},
          {.name = "create-seed", .effect = seed}};
}

Executor::Calls Executor::calls_for(const agent::StartDomain& step) {
  const InstanceUid uid = step.instance.uid;
  auto spec = agent::domain_spec(step, storage_.paths(uid));
  if (!spec.ok()) {
    return {{.name = "specify", .effect = [status = spec.status()] { return status; }}};
  }
  if (stage_.bug == Bug::kIgnorePins) spec->pins.reset();
  const auto make_bridges = [this, step] {
    for (const Network& network : step.networks) {
      const bool named = std::ranges::any_of(
          step.instance.ports, [&](const Port& port) { return port.network == network.uid; });
      if (named) SW_RETURN_IF_ERROR(network_.ensure_bridge(agent::bridge_of(network)));
    }
    return absl::OkStatus();
  };
  return {{.name = "ensure-bridges", .effect = make_bridges},
          hypervisor_call("define", [spec = *spec](SimHypervisor& h) { return h.define(spec); }),
          domain_call("resume", uid, [uid](SimHypervisor& h) { return h.resume(uid); })};
}

void Executor::keep_up(const agent::HostUpkeep& upkeep, agent::HostObservation& sight) {
  Machine& machine = stage_.world.machine();
  if (upkeep.guards && stage_.mishaps.observation_fails()) {
    sight.guarding = unavailable("the simulated firewall refuses");
  } else if (upkeep.guards) {
    sight.guards = *upkeep.guards;
    if (stage_.bug != Bug::kForgetGuards) machine.guards = *upkeep.guards;
  }
  for (const Network& network : upkeep.networks_to_remove) {
    if (stage_.bug == Bug::kKeepBridges || network_.remove_bridge(network.bridge).ok()) {
      sight.networks_gone.push_back(network.uid);
    }
  }
}

void Executor::observe(const agent::HostUpkeep& upkeep, Seen seen) {
  const auto soon = [this] { return stage_.delays.between(milliseconds(1), milliseconds(20)); };
  if (stage_.mishaps.observation_fails()) {
    return life_.after(soon(), [seen] { seen(unavailable("the hypervisor does not answer")); });
  }
  auto sight = std::make_shared<agent::HostObservation>();
  keep_up(upkeep, *sight);
  life_.after(soon(), [this, sight, soon, seen] {
    sight->domains = *hypervisor_->list();
    life_.after(soon(), [this, sight, soon, seen] {
      sight->storage = *storage_.inventory();
      life_.after(soon(), [this, sight, seen] {
        if (stage_.bug != Bug::kHidePorts) sight->ports = *network_.ports("sw");
        seen(std::move(*sight));
      });
    });
  });
}

void Executor::delete_image(const ImageUid& image, Done done) {
  perform(
      {.name = "delete-image", .effect = [this, image] { return storage_.delete_image(image); }},
      std::move(done));
}

void Executor::list_images(std::function<void(absl::StatusOr<std::vector<ImageUid>>)> done) {
  const auto images = std::make_shared<std::vector<ImageUid>>();
  perform({.name = "list-images",
           .effect =
               [this, images] {
                 *images = storage_.inventory()->images;
                 return absl::OkStatus();
               }},
          [images, done = std::move(done)](absl::Status result) {
            if (!result.ok()) return done(result);
            done(*images);
          });
}

void Executor::import_image(const ImageUid& image, Imported done, std::function<bool()> wanted) {
  storage_.begin_image(image);
  const auto facts = std::make_shared<storage::ImageFacts>();
  perform({.name = "publish-image",
           .effect =
               [this, image, facts, wanted = std::move(wanted)] {
                 if (!wanted()) {
                   storage_.abandon_image(image);
                   return make_status(absl::StatusCode::kCancelled, "deleted meanwhile");
                 }
                 *facts = storage_.publish_image(image);
                 return absl::OkStatus();
               },
           .copies = true,
           .abandon = [this, image] { storage_.abandon_image(image); }},
          [facts, done = std::move(done)](absl::Status result) {
            if (!result.ok()) return done(result);
            done(*facts);
          });
}

}  // namespace stellwerk::sim
