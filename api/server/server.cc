#include "api/server/server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>
#include <spdlog/spdlog.h>

#include <array>
#include <mutex>

#include "api/server/consoles_service.h"
#include "api/server/events_service.h"
#include "api/server/images_service.h"
#include "api/server/listener.h"
#include "api/server/peers.h"
#include "api/server/refusal.h"
#include "api/server/services.h"
#include "api/server/streams.h"
#include "api/server/topology_services.h"

namespace stellwerk::server {
namespace {

// A chunk or a hostile text of 1 MiB, and the rest of the message around it.
constexpr int kLargestMessage = (1 << 20) + (256 << 10);
constexpr std::array<std::string_view, 10> kServices = {
    v1::Instances::service_full_name(), v1::Images::service_full_name(),
    v1::Flavors::service_full_name(),   v1::Hosts::service_full_name(),
    v1::Networks::service_full_name(),  v1::Projects::service_full_name(),
    v1::Events::service_full_name(),    v1::Consoles::service_full_name(),
    v1::Topology::service_full_name(),  v1::Groups::service_full_name()};

// gRPC's reflection adds itself to every server of the process; those who are refused shall not see
// the schema either.
class WithoutPlugins final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->clear();
  }
};

// The limit on messages holds for them as they arrive, and a mebibyte can unfold to a gibibyte. So
// calls that announce compression are refused, and nothing is unfolded before that.
void refuse_compression(grpc::ServerBuilder* builder) {
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder->AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
}

void set_limits(const ServerLimits& limits, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(kLargestMessage);
  refuse_compression(builder);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.calls_per_connection);
  // Only reflection is served by gRPC's own threads.
  builder->SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder->SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder->SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2);
}

}  // namespace

class Server::Body {
 public:
  Body(ServerConfig config, OperatorRule rule, Gateway& gateway, ConsoleGateway& consoles)
      : config_(std::move(config)),
        rule_(std::move(rule)),
        gateway_(gateway),
        console_gateway_(consoles) {}

  absl::Status serve(std::unique_ptr<Listener> listener);
  void shutdown(Duration patience);

 private:
  absl::Status build_servers();
  void welcome(Descriptor connection);
  void set_health(bool serving);
  std::chrono::system_clock::time_point wall_time_after(Duration duration) const {
    return clock_.now().wall + duration;
  }

  const ServerConfig config_;
  const OperatorRule rule_;
  Gateway& gateway_;
  ConsoleGateway& console_gateway_;
  SystemClock clock_;
  PeerTable operators_;
  PeerTable strangers_;
  StreamTable imports_{config_.limits.imports};
  StreamTable watchers_{config_.limits.watchers};
  StreamTable attachments_{config_.limits.consoles};
  ImageClaims claims_;

  UnaryCalls calls_{gateway_, operators_};
  InstancesService instances_{calls_};
  ImagesService images_{calls_, ImportEnvironment{.gateway = gateway_,
                                                  .peers = operators_,
                                                  .streams = imports_,
                                                  .claims = claims_,
                                                  .clock = clock_,
                                                  .idle = config_.limits.import_idle}};
  FlavorsService flavors_{calls_};
  NetworksService networks_{calls_};
  HostsService hosts_{calls_};
  ProjectsService projects_{calls_};
  TopologyService topology_{calls_};
  GroupsService groups_{calls_};
  EventsService events_{WatchEnvironment{.gateway = gateway_,
                                         .streams = watchers_,
                                         .clock = clock_,
                                         .heartbeat = config_.limits.watch_heartbeat,
                                         .patience = config_.limits.watch_patience}};
  ConsolesService consoles_{AttachEnvironment{.gateway = gateway_,
                                              .consoles = console_gateway_,
                                              .peers = operators_,
                                              .streams = attachments_,
                                              .clock = clock_,
                                              .greeting = config_.limits.console_greeting,
                                              .patience = config_.limits.console_patience,
                                              .quiet = config_.limits.console_quiet}};
  RefusingService refusing_{rule_, strangers_};

  std::unique_ptr<grpc::Server> server_;
  // Apart, so that no confusion of descriptors can ever let a stranger's call reach a service.
  std::unique_ptr<grpc::Server> refusing_server_;
  std::unique_ptr<Ticker> ticker_;
  std::unique_ptr<Listener> listener_;
};

namespace {

// gRPC's own end, when its last user goes, can wait 10 s for a poller (tcp_posix.cc's backup
// poller): a daemon that is told to stop has no use for that, so gRPC stays until the process ends.
void keep_grpc() {
  static const bool kept = [] {
    grpc_init();
    return true;
  }();
  static_cast<void>(kept);
}

}  // namespace

absl::Status Server::Body::build_servers() {
  keep_grpc();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  set_limits(config_.limits, &builder);
  builder.RegisterService(&instances_).RegisterService(&images_).RegisterService(&flavors_);
  builder.RegisterService(&hosts_).RegisterService(&projects_).RegisterService(&events_);
  builder.RegisterService(&networks_).RegisterService(&consoles_);
  builder.RegisterService(&topology_).RegisterService(&groups_);
  if (config_.on_call) observe_calls(builder, config_.on_call, clock_);
  server_ = builder.BuildAndStart();

  grpc::ServerBuilder refusing;
  set_limits(config_.limits, &refusing);
  refusing.SetOption(std::make_unique<WithoutPlugins>());
  refusing.SetOption(std::make_unique<grpc::HealthCheckServiceServerBuilderOption>(nullptr));
  refusing.RegisterCallbackGenericService(&refusing_);
  refusing_server_ = refusing.BuildAndStart();
  if (server_ == nullptr || refusing_server_ == nullptr) {
    return internal_error("gRPC could not start its server; see its messages on standard error");
  }
  return absl::OkStatus();
}

absl::Status Server::Body::serve(std::unique_ptr<Listener> listener) {
  SW_RETURN_IF_ERROR(build_servers());
  set_health(true);
  ticker_ = std::make_unique<Ticker>(config_.limits.tick, [this] {
    const MonotonicTime now = clock_.now().monotonic;
    imports_.tick(now);
    watchers_.tick(now);
    attachments_.tick(now);
  });
  listener_ = std::move(listener);
  listener_->accept_with([this](Descriptor connection) { welcome(std::move(connection)); });
  return absl::OkStatus();
}

void Server::Body::welcome(Descriptor connection) {
  const absl::StatusOr<Peer> peer = peer_of(connection.get());
  if (!peer.ok()) {
    spdlog::warn("a connection was closed: {}", describe(peer.status()));
    return;
  }
  const bool allowed = rule_.allows(*peer);
  PeerTable& table = allowed ? operators_ : strangers_;
  if (!allowed) spdlog::warn("{} was refused", caller_of(*peer));
  if (const absl::Status known = table.add(connection.get(), *peer, config_.limits.connections);
      !known.ok()) {
    spdlog::warn("a connection of {} was closed: {}", caller_of(*peer), describe(known));
    return;
  }
  grpc::AddInsecureChannelFromFd(allowed ? server_.get() : refusing_server_.get(),
                                 connection.release());
}

void Server::Body::set_health(bool serving) {
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  health->SetServingStatus(serving);
  for (const std::string_view service : kServices) {
    health->SetServingStatus(std::string(service), serving);
  }
}

void Server::Body::shutdown(Duration patience) {
  if (listener_ != nullptr) listener_->close();
  if (server_ != nullptr) {
    set_health(false);
    const absl::Status why =
        with_reason(unavailable("the daemon is stopping; connect again soon"), "STOPPING");
    watchers_.end_all(why);
    imports_.end_all(why);
    attachments_.end_all(why);
    server_->Shutdown(wall_time_after(patience));
  }
  if (refusing_server_ != nullptr) refusing_server_->Shutdown(wall_time_after(Duration::zero()));
  ticker_.reset();
}

absl::StatusOr<std::unique_ptr<Server>> Server::start(ServerConfig config, Gateway& gateway,
                                                      ConsoleGateway& consoles) {
  std::string warning;
  OperatorRule rule = OperatorRule::of_group(config.operator_group, &warning);
  if (!warning.empty()) spdlog::warn("{}", warning);
  SW_ASSIGN_OR_RETURN(std::unique_ptr<Listener> listener,
                      Listener::open({.path = config.socket, .group = rule.group()}));
  auto body = std::make_unique<Body>(std::move(config), std::move(rule), gateway, consoles);
  SW_RETURN_IF_ERROR(body->serve(std::move(listener)));
  return std::unique_ptr<Server>(new Server(std::move(body)));
}

Server::Server(std::unique_ptr<Body> body) : body_(std::move(body)) {}

Server::~Server() {
  shutdown(Duration::zero());
}

void Server::shutdown(Duration patience) {
  if (body_ == nullptr) return;
  body_->shutdown(patience);
  body_.reset();
}

}  // namespace stellwerk::server
