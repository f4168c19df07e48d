#include "drivers/hypervisor/libvirt/handles.h"

#include <libvirt/virterror.h>

#include <array>

namespace stellwerk::hypervisor {
namespace {

absl::StatusCode code_of(const virError& error) {
  switch (error.code) {
    case VIR_ERR_NO_DOMAIN:
      return absl::StatusCode::kNotFound;
    case VIR_ERR_DOM_EXIST:
      return absl::StatusCode::kAlreadyExists;
    case VIR_ERR_OPERATION_INVALID:
    case VIR_ERR_CONFIG_UNSUPPORTED:
      return absl::StatusCode::kFailedPrecondition;
    case VIR_ERR_NO_CONNECT:
    case VIR_ERR_INVALID_ARG:
    case VIR_ERR_INVALID_CONN:
      return absl::StatusCode::kInvalidArgument;
    case VIR_ERR_OPERATION_TIMEOUT:
      return absl::StatusCode::kDeadlineExceeded;
    case VIR_ERR_NO_SUPPORT:
      return absl::StatusCode::kUnimplemented;
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_OPERATION_DENIED:
    case VIR_ERR_ACCESS_DENIED:
      return absl::StatusCode::kPermissionDenied;
    default:  // libvirt's list is open; what matters to callers is above
      return absl::StatusCode::kInternal;
  }
}

void ignore_error(void*, virErrorPtr) {}

}  // namespace

absl::Status last_error(std::string_view doing) {
  const virError* error = virGetLastError();
  if (error == nullptr) return internal_error("libvirt: {}: no reason given", doing);
  const char* message = error->message == nullptr ? "no reason given" : error->message;
  return make_status(code_of(*error), fmt::format("libvirt: {}: {}", doing, message));
}

void silence_libvirt() {
  virSetErrorFunc(nullptr, ignore_error);
}

Uuid uuid_of(virDomainPtr domain) {
  std::array<uint8_t, 16> bytes{};
  static_assert(bytes.size() == VIR_UUID_BUFLEN);
  virDomainGetUUID(domain, bytes.data());
  return Uuid(bytes);
}

}  // namespace stellwerk::hypervisor
