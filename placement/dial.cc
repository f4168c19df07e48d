#include "placement/dial.h"

#include <fmt/format.h>

#include <algorithm>

namespace stellwerk::placement {
namespace {

// No guest is smaller.
constexpr Bytes kLeastMemory = mebibytes(64);
constexpr Bytes kLeastDisk = gibibytes(1);

int64_t value_in(const Request& request, Amount amount, size_t device) {
  switch (amount) {
    case Amount::kMemory:
      return request.memory.count();
    case Amount::kVcpus:
      return request.vcpus.count();
    case Amount::kDisk:
      return request.disk.count();
    case Amount::kPages:
      return request.pages;
    case Amount::kBandwidth:
      return request.bandwidth.count();
    case Amount::kDevices:
      return request.devices[device].count;
    case Amount::kPoolBytes:
      return request.pool_bytes.count();
    case Amount::kCount:
      return request.count;
  }
  return 0;
}

int64_t least_of(const Request& request, Amount amount) {
  switch (amount) {
    case Amount::kMemory:
      return kLeastMemory.count();
    case Amount::kDisk:
    case Amount::kPoolBytes:
      return kLeastDisk.count();
    case Amount::kVcpus:
    case Amount::kPages:
      return std::max(request.numa_nodes, 1);
    case Amount::kBandwidth:
    case Amount::kDevices:
      return 0;
    case Amount::kCount:
      return 1;
  }
  return 0;
}

int64_t step_of(const Request& request, Amount amount) {
  switch (amount) {
    case Amount::kMemory:
    case Amount::kDisk:
    case Amount::kPoolBytes:
      return mebibytes(1).count();
    case Amount::kVcpus:
    case Amount::kPages:
      return std::max(request.numa_nodes, 1);
    case Amount::kBandwidth:
    case Amount::kDevices:
    case Amount::kCount:
      return 1;
  }
  return 1;
}

// Nothing is lost by rounding, unlike with to_string.
std::string exactly(Bytes amount) {
  const Bytes unit = amount.count() % (gibibytes(1).count() / 2) == 0 ? gibibytes(1) : mebibytes(1);
  if (amount < unit || amount.count() % (gibibytes(1024).count() / 2) == 0) {
    return to_string(amount);
  }
  const int64_t halves = amount.count() * 2 / unit.count();
  return fmt::format("{}{} {}", halves / 2, halves % 2 == 0 ? "" : ".5",
                     unit == gibibytes(1) ? "GiB" : "MiB");
}

std::string instead(const std::string& now, const std::string& before) {
  return now == before ? "" : fmt::format(" ({} instead of {})", now, before);
}

std::string less_bytes(int64_t less, std::string_view what, int64_t before) {
  return fmt::format("{} less {}{}", exactly(Bytes(less)), what,
                     instead(to_string(Bytes(before - less)), to_string(Bytes(before))));
}

std::string fewer(int64_t less, std::string_view what, int64_t before) {
  return fmt::format("{} fewer {} ({} instead of {})", less, what, before - less, before);
}

}  // namespace

Dial::Dial(Amount amount, const Request& request, size_t device)
    : amount_(amount),
      device_(device),
      asked_(value_in(request, amount, device)),
      step_(step_of(request, amount)),
      most_steps_(std::max<int64_t>((asked_ - least_of(request, amount)) / step_, 0)) {}

double Dial::part(int64_t steps) const {
  return static_cast<double>(steps * step_) / static_cast<double>(asked_);
}

Request Dial::turned(const Request& request, int64_t steps) const {
  Request turned = request;
  const int64_t value = asked_ - steps * step_;
  switch (amount_) {
    case Amount::kMemory:
      turned.memory = Bytes(value);
      return turned;
    case Amount::kVcpus:
      turned.vcpus = VcpuCount(value);
      return turned;
    case Amount::kDisk:
      turned.disk = Bytes(value);
      return turned;
    case Amount::kPages:
      turned.pages = value;
      return turned;
    case Amount::kBandwidth:
      turned.bandwidth = MegabitsPerSecond(value);
      return turned;
    case Amount::kDevices:
      turned.devices[device_].count = value;
      if (value == 0) turned.devices.erase(turned.devices.begin() + static_cast<int64_t>(device_));
      return turned;
    case Amount::kPoolBytes:
      turned.pool_bytes = Bytes(value);
      return turned;
    case Amount::kCount:
      turned.count = value;
      return turned;
  }
  return turned;
}

int64_t Dial::rounded(int64_t steps) const {
  const bool in_bytes =
      amount_ == Amount::kMemory || amount_ == Amount::kDisk || amount_ == Amount::kPoolBytes;
  if (!in_bytes || steps < 1024) return steps;
  const int64_t halves = (steps + 511) / 512 * 512;  // of GiB
  return halves <= most_steps_ ? halves : steps;
}

int64_t Dial::steps_to(const Room& room, const Fleet& fleet, const Request& request) const {
  const auto lacking = [this](int64_t free) {
    return std::max<int64_t>((asked_ - free + step_ - 1) / step_, 0);
  };
  switch (amount_) {
    case Amount::kMemory:
      return lacking(room.memory);
    case Amount::kVcpus:
      return lacking(room.vcpus[index_of(request.cpu_class)]);
    case Amount::kDisk:
      return lacking(room.disk);
    case Amount::kPages:
      return lacking(room.pages[index_of(request.page_size)]);
    case Amount::kBandwidth:
      return lacking(room.bandwidth);
    case Amount::kDevices: {
      const uint32_t number = fleet.device_class(request.devices[device_].device_class);
      return lacking(number < room.devices.size() ? room.devices[number] : 0);
    }
    case Amount::kPoolBytes:
    case Amount::kCount:
      return 0;
  }
  return 0;
}

std::string Dial::words(const Request& request, int64_t steps) const {
  const int64_t less = steps * step_;
  switch (amount_) {
    case Amount::kMemory:
      return less_bytes(less, "memory", asked_);
    case Amount::kVcpus:
      return fewer(less, less == 1 ? "vCPU" : "vCPUs", asked_);
    case Amount::kDisk:
      return less_bytes(less, "disk", asked_);
    case Amount::kPages:
      return fewer(
          less, fmt::format("{} of {}", less == 1 ? "page" : "pages", to_string(request.page_size)),
          asked_);
    case Amount::kBandwidth: {
      const auto show = [](int64_t count) { return to_string(MegabitsPerSecond(count)); };
      return fmt::format("{} less bandwidth ({} instead of {})", show(less), show(asked_ - less),
                         show(asked_));
    }
    case Amount::kDevices:
      return fewer(less, request.devices[device_].device_class, asked_);
    case Amount::kPoolBytes:
      return less_bytes(less, fmt::format("of pool {}", request.pool), asked_);
    case Amount::kCount:
      return fewer(less, less == 1 ? "instance" : "instances", asked_);
  }
  return "";
}

std::vector<Dial> dials_of(const Request& request) {
  std::vector<Dial> dials;
  const bool in_pages = request.page_size != PageSize::kNormal;
  // Beside huge pages there is only what QEMU itself needs.
  if (!in_pages) dials.emplace_back(Amount::kMemory, request);
  for (const Amount amount : {Amount::kVcpus, Amount::kDisk}) {
    dials.emplace_back(amount, request);
  }
  if (in_pages) dials.emplace_back(Amount::kPages, request);
  dials.emplace_back(Amount::kBandwidth, request);
  for (size_t i = 0; i < request.devices.size(); ++i) {
    dials.emplace_back(Amount::kDevices, request, i);
  }
  dials.emplace_back(Amount::kPoolBytes, request);
  dials.emplace_back(Amount::kCount, request);
  dials.erase(std::remove_if(dials.begin(), dials.end(),
                             [](const Dial& dial) { return dial.most_steps() == 0; }),
              dials.end());
  return dials;
}

}  // namespace stellwerk::placement
