#include "drivers/hypervisor/libvirt/domain_xml.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <pugixml.hpp>
#include <sstream>

#include "core/cpu_list.h"
#include "core/validate.h"
#include "drivers/hypervisor/libvirt/percent.h"

namespace stellwerk::hypervisor {
namespace {

// QEMU's default translation buffer under TCG is a quarter of the guest's memory and more,
// resident as it fills; bounding it keeps the overhead that placement charges honest.
constexpr char kTranslationBufferMib[] = "64";
constexpr size_t kLongestSocketPath = 107;

pugi::xml_node child(pugi::xml_node parent, const char* name) {
  return parent.append_child(name);
}

void text_child(pugi::xml_node parent, const char* name, const std::string& text) {
  child(parent, name).text().set(text.c_str());
}

struct Attribute {
  const char* name;
  std::string value;
};

pugi::xml_node element(pugi::xml_node parent, const char* name,
                       std::initializer_list<Attribute> attributes) {
  pugi::xml_node node = child(parent, name);
  for (const Attribute& attribute : attributes) {
    node.append_attribute(attribute.name).set_value(attribute.value.c_str());
  }
  return node;
}

std::string to_text(const pugi::xml_document& document) {
  std::ostringstream out;
  document.save(out, "  ", pugi::format_indent | pugi::format_no_declaration);
  return out.str();
}

// XML 1.0 has no place for them.
bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

absl::Status check_path(std::string_view field, const std::string& path) {
  if (path.starts_with('/') && !has_control_characters(path)) return absl::OkStatus();
  return invalid_argument("{}: '{}' is not an absolute path without control characters", field,
                          percent_encode(path));
}

absl::Status check_console(const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  SW_RETURN_IF_ERROR(check_path("console_socket", path));
  if (path.size() <= kLongestSocketPath) return absl::OkStatus();
  return invalid_argument("console_socket: {} has {} bytes; a Unix socket's path has at most {}",
                          percent_encode(path), path.size(), kLongestSocketPath);
}

absl::Status check_interface(std::string_view field, const std::string& name) {
  const bool bad = name.empty() || name.size() > kLongestInterfaceName ||
                   has_control_characters(name) || name.find_first_of("/ %:") != std::string::npos;
  if (!bad) return absl::OkStatus();
  return invalid_argument("{}: '{}' is not a network interface's name (1 to {} characters)", field,
                          percent_encode(name), kLongestInterfaceName);
}

// An empty list would be "anywhere", and that is never meant.
absl::Status check_pins(const DomainSpec& spec) {
  if (!spec.pins) return absl::OkStatus();
  const auto& vcpus = spec.pins->vcpus;
  const bool any_empty = std::ranges::any_of(vcpus, [](const auto& cpus) { return cpus.empty(); });
  if (any_empty || vcpus.size() != static_cast<size_t>(spec.vcpus.count())) {
    return invalid_argument("pins.vcpus: each of the {} vCPUs needs a processor",
                            spec.vcpus.count());
  }
  if (spec.pins->emulator.empty()) {
    return invalid_argument("pins.emulator: at least one processor is needed");
  }
  return absl::OkStatus();
}

absl::Status check(const DomainSpec& spec) {
  if (spec.vcpus <= VcpuCount(0)) return invalid_argument("vcpus: at least 1 is needed");
  if (spec.memory < mebibytes(1)) return invalid_argument("memory: at least 1 MiB is needed");
  SW_RETURN_IF_ERROR(check_path("boot_disk.path", spec.boot_disk.path));
  if (!spec.seed_path.empty()) SW_RETURN_IF_ERROR(check_path("seed_path", spec.seed_path));
  SW_RETURN_IF_ERROR(check_console(spec.console_socket));
  for (const PortDevice& port : spec.ports) {
    SW_RETURN_IF_ERROR(check_interface("ports.bridge", port.bridge));
    SW_RETURN_IF_ERROR(check_interface("ports.interface_name", port.interface_name));
  }
  return check_pins(spec);
}

void append_ownership(pugi::xml_node parent, const Ownership& owner, NameSpace name_space) {
  const bool declared = name_space == NameSpace::kDeclared;
  const auto qualified = [declared](const char* name) {
    return declared ? fmt::format("{}:{}", kMetadataPrefix, name) : std::string(name);
  };
  pugi::xml_node node = child(parent, qualified("owner").c_str());
  if (declared) {
    node.append_attribute(fmt::format("xmlns:{}", kMetadataPrefix).c_str()).set_value(kMetadataUri);
  }
  const auto add = [&](const char* name, const std::string& text) {
    text_child(node, qualified(name).c_str(), text);
  };
  add("cell", owner.cell.to_string());
  add("instance", owner.instance.to_string());
  // Named when runs were not counted apart; guests outlive the programs that started them.
  add("generation", std::to_string(owner.run.value()));
  add("reboot-count", std::to_string(owner.reboot_count));
  add("project-id", percent_encode(owner.project_id));
  add("instance-id", percent_encode(owner.instance_id));
  add("adoption", percent_encode(owner.adoption));
}

void append_vcpus(pugi::xml_node domain, const DomainSpec& spec) {
  pugi::xml_node node = element(domain, "vcpu", {{"placement", "static"}});
  node.text().set(std::to_string(spec.vcpus.count()).c_str());
  if (!spec.pins) return;
  // What is not pinned by itself below, and all of QEMU from its first moment on.
  node.append_attribute("cpuset").set_value(cpu_list_text(spec.pins->emulator).c_str());
  const auto& vcpus = spec.pins->vcpus;
  const bool together =
      std::ranges::all_of(vcpus, [&](const auto& cpus) { return cpus == spec.pins->emulator; });
  if (together) return;
  pugi::xml_node tune = child(domain, "cputune");
  for (size_t i = 0; i < vcpus.size(); ++i) {
    element(tune, "vcpupin", {{"vcpu", std::to_string(i)}, {"cpuset", cpu_list_text(vcpus[i])}});
  }
  element(tune, "emulatorpin", {{"cpuset", cpu_list_text(spec.pins->emulator)}});
}

// A wish and no limit: nobody keeps account of the memory of single nodes, and a guest with its
// memory further away is better than one that the kernel ends.
void append_memory_nodes(pugi::xml_node domain, const std::vector<int32_t>& nodes) {
  if (nodes.empty()) return;
  const char* mode = nodes.size() == 1 ? "preferred" : "interleave";
  element(child(domain, "numatune"), "memory", {{"mode", mode}, {"nodeset", cpu_list_text(nodes)}});
}

// Boot order is per device, so that a guest never tries the seed or the network.
void append_firmware(pugi::xml_node domain, const DomainSpec& spec) {
  pugi::xml_node os = child(domain, "os");
  if (spec.firmware == Firmware::kUefi) os.append_attribute("firmware").set_value("efi");
  element(os, "type", {{"arch", "x86_64"}, {"machine", "q35"}}).text().set("hvm");
  if (spec.firmware != Firmware::kUefi) return;
  // Without these libvirt may choose a build with Microsoft's keys enrolled, which refuses images
  // that are not signed by them.
  pugi::xml_node firmware = child(os, "firmware");
  element(firmware, "feature", {{"enabled", "no"}, {"name", "enrolled-keys"}});
  element(firmware, "feature", {{"enabled", "no"}, {"name", "secure-boot"}});
  text_child(os, "nvram", nvram_path(spec.boot_disk.path));
}

void append_processor(pugi::xml_node domain, Accelerator accelerator) {
  pugi::xml_node features = child(domain, "features");
  child(features, "acpi");
  child(features, "apic");
  if (accelerator == Accelerator::kTcg) {
    pugi::xml_node cache = element(child(features, "tcg"), "tb-cache", {{"unit", "MiB"}});
    cache.text().set(kTranslationBufferMib);
    element(domain, "cpu", {{"mode", "maximum"}});
    return;
  }
  // Not host-passthrough: a guest must be able to move to a host that is not this one's twin.
  element(domain, "cpu", {{"mode", "host-model"}});
}

void append_lifecycle(pugi::xml_node domain) {
  pugi::xml_node clock = element(domain, "clock", {{"offset", "utc"}});
  element(clock, "timer", {{"name", "rtc"}, {"tickpolicy", "catchup"}});
  element(clock, "timer", {{"name", "pit"}, {"tickpolicy", "delay"}});
  element(clock, "timer", {{"name", "hpet"}, {"present", "no"}});
  text_child(domain, "on_poweroff", "destroy");
  text_child(domain, "on_reboot", "restart");
  text_child(domain, "on_crash", "destroy");
  // A guest that put itself to sleep would be neither running nor ended.
  pugi::xml_node power = child(domain, "pm");
  element(power, "suspend-to-mem", {{"enabled", "no"}});
  element(power, "suspend-to-disk", {{"enabled", "no"}});
}

void append_boot_disk(pugi::xml_node devices, const DiskDevice& disk) {
  pugi::xml_node node = element(devices, "disk", {{"type", "file"}, {"device", "disk"}});
  // A failing or full disk pauses the guest instead of handing it errors, so that it can go on
  // once the host is in order again.
  element(node, "driver",
          {{"name", "qemu"},
           {"type", std::string(to_string(disk.format))},
           {"error_policy", "stop"},
           {"rerror_policy", "stop"},
           {"discard", "unmap"}});
  element(node, "source", {{"file", disk.path}});
  element(node, "target", {{"dev", "vda"}, {"bus", "virtio"}});
  element(node, "boot", {{"order", "1"}});
}

// A virtio disk and no CD-ROM: whatever boots from the disk above can read it, while kernels made
// for clouds, Debian's among them, have no driver for q35's SATA.
void append_seed(pugi::xml_node devices, const std::string& path) {
  pugi::xml_node node = element(devices, "disk", {{"type", "file"}, {"device", "disk"}});
  element(node, "driver", {{"name", "qemu"}, {"type", "raw"}});
  element(node, "source", {{"file", path}});
  element(node, "target", {{"dev", "vdb"}, {"bus", "virtio"}});
  child(node, "readonly");
}

void append_port(pugi::xml_node devices, const PortDevice& port) {
  pugi::xml_node node = element(devices, "interface", {{"type", "bridge"}});
  element(node, "mac", {{"address", mac_to_string(port.mac)}});
  element(node, "source", {{"bridge", port.bridge}});
  element(node, "target", {{"dev", port.interface_name}});
  if (port.mtu != kEthernetMtu) element(node, "mtu", {{"size", std::to_string(port.mtu)}});
  element(node, "model", {{"type", "virtio"}});
  element(node, "rom", {{"enabled", "no"}});  // no network boot
}

// No log file of QEMU's: it would grow without bounds (see agent/console_history.h).
void append_console(pugi::xml_node devices, const std::string& socket) {
  pugi::xml_node serial = element(devices, "serial", {{"type", socket.empty() ? "null" : "unix"}});
  if (!socket.empty()) element(serial, "source", {{"mode", "bind"}, {"path", socket}});
  element(serial, "target", {{"type", "isa-serial"}, {"port", "0"}});
}

void append_devices(pugi::xml_node domain, const DomainSpec& spec) {
  pugi::xml_node devices = child(domain, "devices");
  append_boot_disk(devices, spec.boot_disk);
  if (!spec.seed_path.empty()) append_seed(devices, spec.seed_path);
  element(devices, "controller", {{"type", "usb"}, {"model", "none"}});
  for (const PortDevice& port : spec.ports) append_port(devices, port);
  append_console(devices, spec.console_socket);
  pugi::xml_node channel = element(devices, "channel", {{"type", "unix"}});
  element(channel, "target", {{"type", "virtio"}, {"name", "org.qemu.guest_agent.0"}});
  element(child(devices, "video"), "model", {{"type", "none"}});
  pugi::xml_node rng = element(devices, "rng", {{"model", "virtio"}});
  element(rng, "backend", {{"model", "random"}}).text().set("/dev/urandom");
  element(devices, "memballoon", {{"model", "virtio"}});
  element(devices, "panic", {{"model", "isa"}});  // how a guest's kernel reports its own death
}

std::string_view local_name(pugi::xml_node node) {
  const std::string_view name = node.name();
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::optional<std::string> text_of(pugi::xml_node parent, std::string_view name) {
  for (const pugi::xml_node node : parent.children()) {
    if (local_name(node) == name) return std::string(node.text().get());
  }
  return std::nullopt;
}

absl::Status read(pugi::xml_node parent, std::string_view name, std::string& value) {
  const auto text = text_of(parent, name);
  auto decoded = text ? percent_decode(*text) : std::nullopt;
  if (!decoded) return invalid_argument("metadata: <{}> is missing or malformed", name);
  value = *std::move(decoded);
  return absl::OkStatus();
}

absl::Status read(pugi::xml_node parent, std::string_view name, uint64_t& value) {
  std::string text;
  SW_RETURN_IF_ERROR(read(parent, name, text));
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end) return absl::OkStatus();
  return invalid_argument("metadata: <{}> holds '{}', not a number", name, percent_encode(text));
}

template <class Tag>
absl::Status read(pugi::xml_node parent, std::string_view name, Uid<Tag>& value) {
  std::string text;
  SW_RETURN_IF_ERROR(read(parent, name, text));
  const auto uid = Uid<Tag>::parse(text);
  if (!uid) {
    return invalid_argument("metadata: <{}> holds '{}', not a UUID", name, percent_encode(text));
  }
  value = *uid;
  return absl::OkStatus();
}

absl::StatusOr<Ownership> read_ownership(pugi::xml_node node) {
  Ownership owner;
  uint64_t run = 0;
  SW_RETURN_IF_ERROR(read(node, "cell", owner.cell));
  SW_RETURN_IF_ERROR(read(node, "instance", owner.instance));
  SW_RETURN_IF_ERROR(read(node, "generation", run));
  SW_RETURN_IF_ERROR(read(node, "reboot-count", owner.reboot_count));
  SW_RETURN_IF_ERROR(read(node, "project-id", owner.project_id));
  SW_RETURN_IF_ERROR(read(node, "instance-id", owner.instance_id));
  SW_RETURN_IF_ERROR(read(node, "adoption", owner.adoption));
  owner.run = Generation(run);
  return owner;
}

// Our element in the metadata, whatever prefix it goes by.
pugi::xml_node ownership_in(pugi::xml_node domain) {
  for (const pugi::xml_node node : domain.child("metadata").children()) {
    if (local_name(node) != "owner") continue;
    const std::string_view name = node.name();
    const size_t colon = name.find(':');
    const std::string declaration =
        colon == std::string_view::npos ? "xmlns" : fmt::format("xmlns:{}", name.substr(0, colon));
    if (node.attribute(declaration.c_str()).value() == std::string_view(kMetadataUri)) return node;
  }
  return {};
}

std::vector<int32_t> read_cpus(pugi::xml_node node) {
  return parse_cpu_list(node.attribute("cpuset").value()).value_or(std::vector<int32_t>());
}

// What has no pin of its own runs where the domain as a whole may.
CpuPins read_pins(pugi::xml_node domain, VcpuCount vcpus) {
  const pugi::xml_node tune = domain.child("cputune");
  const std::vector<int32_t> whole = read_cpus(domain.child("vcpu"));
  CpuPins pins{.vcpus = std::vector(static_cast<size_t>(vcpus.count()), whole), .emulator = whole};
  for (const pugi::xml_node pin : tune.children("vcpupin")) {
    const size_t vcpu = pin.attribute("vcpu").as_uint();
    if (vcpu < pins.vcpus.size()) pins.vcpus[vcpu] = read_cpus(pin);
  }
  if (const pugi::xml_node pin = tune.child("emulatorpin")) pins.emulator = read_cpus(pin);
  return pins;
}

}  // namespace

std::string domain_name(const InstanceUid& instance) {
  return fmt::format("stellwerk-{}", instance.to_string());
}

std::string nvram_path(const std::string& boot_disk) {
  return boot_disk + ".nvram";
}

absl::StatusOr<std::string> domain_xml(const DomainSpec& spec, Accelerator accelerator) {
  SW_RETURN_IF_ERROR(check(spec));
  pugi::xml_document document;
  const char* type = accelerator == Accelerator::kKvm ? "kvm" : "qemu";
  pugi::xml_node domain = document.append_child("domain");
  domain.append_attribute("type").set_value(type);
  text_child(domain, "name", domain_name(spec.owner.instance));
  text_child(domain, "uuid", spec.owner.instance.to_string());
  append_ownership(child(domain, "metadata"), spec.owner, NameSpace::kDeclared);
  const int64_t memory_kib = (spec.memory.count() + 1023) / 1024;
  element(domain, "memory", {{"unit", "KiB"}}).text().set(std::to_string(memory_kib).c_str());
  append_vcpus(domain, spec);
  append_memory_nodes(domain, spec.memory_nodes);
  append_firmware(domain, spec);
  append_processor(domain, accelerator);
  append_lifecycle(domain);
  append_devices(domain, spec);
  return to_text(document);
}

std::string ownership_xml(const Ownership& owner, NameSpace name_space) {
  pugi::xml_document document;
  append_ownership(document, owner, name_space);
  return to_text(document);
}

absl::StatusOr<DomainDescription> parse_domain(std::string_view xml) {
  pugi::xml_document document;
  const auto parsed = document.load_buffer(xml.data(), xml.size());
  if (!parsed) return invalid_argument("a domain's XML: {}", parsed.description());
  const pugi::xml_node domain = document.child("domain");
  DomainDescription described;
  if (const pugi::xml_node node = ownership_in(domain)) {
    if (auto owner = read_ownership(node); owner.ok()) described.owner = *std::move(owner);
  }
  const pugi::xml_node vcpu = domain.child("vcpu");
  described.vcpus = VcpuCount(vcpu.attribute("current").as_llong(vcpu.text().as_llong()));
  described.memory = kibibytes(domain.child("memory").text().as_llong());
  described.pins = read_pins(domain, described.vcpus);
  return described;
}

}  // namespace stellwerk::hypervisor
