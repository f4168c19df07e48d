#include "api/client/request_id.h"

#include <uuid/uuid.h>

namespace stellwerk::client {

std::string fresh_request_id() {
  uuid_t bytes;
  uuid_generate_random(bytes);
  char text[UUID_STR_LEN];
  uuid_unparse_lower(bytes, text);
  return text;
}

}  // namespace stellwerk::client
