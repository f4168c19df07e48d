// The part that all lists share. Used by the translations of this folder.
#pragma once

#include "api/convert/from_wire.h"
#include "api/convert/reading.h"

namespace stellwerk::convert {

template <class Request>
controller::PageRequest read_page(RequestReader& reader, const Request& request) {
  return {.size = reader.page_size(request.page_size()),
          .token = reader.page_token(request.page_token())};
}

}  // namespace stellwerk::convert
