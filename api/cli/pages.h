// Walks a paged list to its end. One thread.
#pragma once

#include <string>
#include <vector>

#include "api/cli/context.h"
#include "api/cli/exit_code.h"

namespace stellwerk::cli {

inline constexpr int kPageSize = 500;  // halved while the answer is too large

// Calls `consume(Response&)` with every page of `request`.
template <class Stub, class Request, class Response, class Consume>
absl::Status for_each_page(Context& context,
                           grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                        Response*),
                           Request request, const Consume& consume) {
  request.set_page_size(kPageSize);
  for (;;) {
    absl::StatusOr<Response> page = context.client.call(method, request);
    if (reason_of(page.status()) == kAnswerTooLargeReason && request.page_size() > 1) {
      request.set_page_size(request.page_size() / 2);
      continue;
    }
    if (!page.ok()) return page.status();
    const std::string next = page->next_page_token();
    consume(*page);
    if (next.empty()) return absl::OkStatus();
    if (next == request.page_token()) {
      return internal_error("the daemon answers every page with the same next page");
    }
    request.set_page_token(next);
  }
}

// All of a list. `items` are a page's, such as &v1::ListHostsResponse::mutable_hosts.
template <class Stub, class Request, class Response, class Item>
absl::StatusOr<std::vector<Item>> collect(
    Context& context, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
    const Request& request, google::protobuf::RepeatedPtrField<Item>* (Response::*items)()) {
  std::vector<Item> all;
  SW_RETURN_IF_ERROR(for_each_page(context, method, request, [&](Response& page) {
    for (Item& item : *(page.*items)()) all.push_back(std::move(item));
  }));
  return all;
}

}  // namespace stellwerk::cli
