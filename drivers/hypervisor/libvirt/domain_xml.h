// DomainSpec to libvirt's domain XML, and a running domain's XML back to values.
//
// Pure. What a caller named travels in attributes and elements that pugixml escapes; ownership's
// free strings are percent-encoded besides, because XML 1.0 cannot carry every byte and
// normalises white space. The XML is what a guest looks like for its whole life: changing it
// changes only guests that start later.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/status.h"
#include "drivers/hypervisor/hypervisor.h"
#include "drivers/hypervisor/libvirt/accelerator.h"

namespace stellwerk::hypervisor {

// The name space of our element in a domain's <metadata>; the digit is the format's version.
inline constexpr char kMetadataUri[] = "urn:stellwerk:domain:1";
inline constexpr char kMetadataPrefix[] = "stellwerk";

std::string domain_name(const InstanceUid& instance);

// Where the variables of a UEFI guest live: beside its disk, so that they last and go with it.
std::string nvram_path(const std::string& boot_disk);

// InvalidArgument names the field that no domain can have: no processor or memory, a path that is
// relative or has control characters, an interface name over 15 characters.
absl::StatusOr<std::string> domain_xml(const DomainSpec& spec, Accelerator accelerator);

// The one element that goes into <metadata>. libvirt adds the name space when it is set on a
// running domain, so it is written only inside a whole domain's XML.
enum class NameSpace { kDeclared, kImplied };
std::string ownership_xml(const Ownership& owner, NameSpace name_space);

// What a running domain's XML says of it.
struct DomainDescription {
  std::optional<Ownership> owner;  // none: there is none, or it does not parse
  VcpuCount vcpus;                 // those plugged in
  Bytes memory;
  CpuPins pins;
};

// Of what virDomainGetXMLDesc returns, anybody's domain. InvalidArgument where it is no XML.
absl::StatusOr<DomainDescription> parse_domain(std::string_view xml);

}  // namespace stellwerk::hypervisor
