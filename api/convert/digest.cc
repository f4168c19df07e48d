#include "api/convert/digest.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <string>

namespace stellwerk::convert {

Sha256 body_digest(std::string_view method, const google::protobuf::MessageLite& request) {
  std::string bytes(method);
  bytes += '\0';  // no method's name holds one, so method and body cannot run into each other
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    request.SerializePartialToCodedStream(&coded);
  }
  return sha256(bytes);
}

}  // namespace stellwerk::convert
