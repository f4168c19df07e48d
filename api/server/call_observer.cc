#include "api/server/call_observer.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_interceptor.h>

#include <algorithm>
#include <vector>

namespace stellwerk::server {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

constexpr std::string_view kOurs = "stellwerk.v1.";

// A name that a caller made up must not become a label.
std::string known_name(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (!path.starts_with(kOurs)) return "other";
  std::string name(path);
  std::ranges::replace(name, '/', '.');
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  if (pool->FindMethodByName(name) == nullptr) return "other";
  return std::string(path.substr(kOurs.size()));
}

class Observation final : public grpc::experimental::Interceptor {
 public:
  Observation(const ServerRpcInfo& call, const CallObserver& observer, const Clock& clock)
      : method_(known_name(call.method())),
        observer_(observer),
        clock_(clock),
        begun_(clock.now().monotonic) {}
  // A call that was cancelled may end without a status.
  ~Observation() override { tell(absl::StatusCode::kCancelled); }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      tell(static_cast<absl::StatusCode>(methods->GetSendStatus().error_code()));
    }
    methods->Proceed();
  }

 private:
  void tell(absl::StatusCode code) {
    if (std::exchange(told_, true)) return;
    observer_({.method = method_, .code = code, .took = clock_.now().monotonic - begun_});
  }

  const std::string method_;
  const CallObserver& observer_;
  const Clock& clock_;
  const MonotonicTime begun_;
  bool told_ = false;
};

class Factory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  Factory(CallObserver observer, const Clock& clock)
      : observer_(std::move(observer)), clock_(clock) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return std::make_unique<Observation>(*info, observer_, clock_).release();
  }

 private:
  const CallObserver observer_;
  const Clock& clock_;
};

}  // namespace

void observe_calls(grpc::ServerBuilder& builder, CallObserver observer, const Clock& clock) {
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> factories;
  factories.push_back(std::make_unique<Factory>(std::move(observer), clock));
  builder.experimental().SetInterceptorCreators(std::move(factories));
}

}  // namespace stellwerk::server
