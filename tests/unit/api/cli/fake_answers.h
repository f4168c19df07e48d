// What the services of the fake daemon answer out of a script. gRPC's threads.
#pragma once

#include <grpcpp/server_context.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "fake_daemon.h"

namespace stellwerk::test {

using grpc::ServerContext;
using grpc::Status;

template <class Request>
Status begin(Script& script, const char* method, const Request& request) {
  const std::lock_guard lock(script.mutex);
  Call call{.method = method, .request = request.ShortDebugString(), .request_id = ""};
  if constexpr (requires { request.request_id(); }) call.request_id = request.request_id();
  script.calls.push_back(std::move(call));
  script.changed.notify_all();
  if (script.failures.empty()) return Status::OK;
  const Status failed = script.failures.front();
  script.failures.pop_front();
  return failed;
}

template <class Item>
Status find(Script& script, const std::vector<Item>& items, const std::string& name, Item* answer) {
  const std::lock_guard lock(script.mutex);
  const auto at = std::find_if(items.begin(), items.end(),
                               [&name](const Item& item) { return item.name() == name; });
  if (at == items.end()) {
    return failure(grpc::StatusCode::NOT_FOUND, name + " does not exist", "NOT_FOUND");
  }
  *answer = *at;
  return Status::OK;
}

// Pages whose token is the number of the next item.
template <class Request, class Item, class Add>
Status list(Script& script, const Request& request, const std::vector<Item>& items,
            std::string* next, const Add& add) {
  const std::lock_guard lock(script.mutex);
  if (request.page_size() > script.refuse_pages_above) {
    return failure(grpc::StatusCode::RESOURCE_EXHAUSTED, "ask for less", "ANSWER_TOO_LARGE");
  }
  size_t at = request.page_token().empty() ? 0 : std::stoul(request.page_token());
  const auto most = static_cast<size_t>(std::min(script.largest_page, request.page_size()));
  for (size_t count = 0; at < items.size() && count < most; ++at, ++count) *add() = items[at];
  if (at < items.size()) *next = std::to_string(at);
  return Status::OK;
}

}  // namespace stellwerk::test
