// A daemon for tests: all services of the API in this process, on a socket in a directory of its
// own. It answers what the test has laid ready and remembers what it was asked.
#pragma once

#include <grpcpp/server.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "stellwerk/v1/events.grpc.pb.h"
#include "stellwerk/v1/flavors.grpc.pb.h"
#include "stellwerk/v1/groups.grpc.pb.h"
#include "stellwerk/v1/hosts.grpc.pb.h"
#include "stellwerk/v1/images.grpc.pb.h"
#include "stellwerk/v1/instances.grpc.pb.h"
#include "stellwerk/v1/networks.grpc.pb.h"
#include "stellwerk/v1/projects.grpc.pb.h"
#include "stellwerk/v1/topology.grpc.pb.h"

namespace stellwerk::test {

// One call as it arrived.
struct Call {
  std::string method;
  std::string request;  // protobuf's short text form
  std::string request_id;
};

// What the test lays ready and looks at afterwards; guarded by `mutex` while the daemon runs.
struct Script {
  std::mutex mutex;
  std::condition_variable changed;

  std::deque<grpc::Status> failures;  // answered before anything else, one a call
  v1::Instance mutation_answer;
  std::deque<v1::Instance> get_answers;  // in turn, the last one stays; none: NOT_FOUND
  std::vector<v1::Instance> instances;  // listed, and the answer of CreateInstances
  v1::ExplainPlacementResponse explanation;
  std::vector<v1::Image> images;
  std::deque<v1::Image> image_answers;  // of imports from URLs and then of GetImage, in turn
  std::vector<v1::Flavor> flavors;
  std::vector<v1::Host> hosts;
  std::vector<v1::Network> networks;
  std::vector<v1::Project> projects;
  std::vector<v1::Site> sites;
  std::vector<v1::Zone> zones;
  std::vector<v1::Feed> feeds;
  std::vector<v1::Rack> racks;
  std::vector<v1::Group> groups;
  std::vector<v1::Event> events;
  int largest_page = 1000;                    // lists are cut to this
  int refuse_pages_above = 1 << 30;           // with ANSWER_TOO_LARGE
  std::deque<v1::WatchEventsResponse> watch;  // streamed as they come
  grpc::Status watch_end;                     // answered by the next WatchEvents at once, unless OK
  grpc::Status watch_refusal;                 // answered by every WatchEvents, unless OK

  std::vector<Call> calls;
  std::string imported;  // the bytes of the last import
  size_t largest_chunk = 0;
  bool import_cancelled = false;
};

class FakeDaemon {
 public:
  FakeDaemon();
  ~FakeDaemon();

  void start();
  void stop();

  std::string socket_path() const { return directory_ / "a%b d.sock"; }
  std::string endpoint() const { return "unix://" + socket_path(); }
  const std::filesystem::path& directory() const { return directory_; }
  Script& script() { return script_; }

  // The calls so far, but for WatchEvents, whose number depends on timing.
  std::vector<Call> calls();
  // Blocks until `condition` of the script holds; false after ten seconds.
  bool wait_until(const std::function<bool(Script&)>& condition);

 private:
  struct Services;

  std::filesystem::path directory_;
  Script script_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<grpc::Server> server_;
};

// A status with google.rpc details, as the real daemon makes them.
struct Violation {
  std::string field;
  std::string description;
};
grpc::Status failure(grpc::StatusCode code, const std::string& message, const std::string& reason,
                     const std::vector<Violation>& violations = {});

}  // namespace stellwerk::test
