// libvirt's handles as owners, and its errors as Status. Thread-safe as libvirt's own are.
#pragma once

#include <libvirt/libvirt.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/status.h"

namespace stellwerk::hypervisor {

struct DomainFree {
  void operator()(virDomainPtr domain) const { virDomainFree(domain); }
};
using DomainHandle = std::unique_ptr<virDomain, DomainFree>;

struct MallocFree {
  void operator()(char* text) const { std::free(text); }
};
using LibvirtString = std::unique_ptr<char, MallocFree>;

// What libvirt last reported on this thread; `doing` says what we asked for.
absl::Status last_error(std::string_view doing);

// libvirt prints every error to stderr unless told otherwise. Process-wide, idempotent.
void silence_libvirt();

Uuid uuid_of(virDomainPtr domain);

}  // namespace stellwerk::hypervisor
