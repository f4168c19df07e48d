#include "core/flavor_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "core/validate.h"

namespace stellwerk {
namespace {

constexpr std::string_view kPrefix = "SCS-";
constexpr std::string_view kCpuClasses = "LVTC";
constexpr std::string_view kDiskTypes = "nhsp";
constexpr std::string_view kGpuBrands = "NAI";
constexpr int64_t kMaxGpuNumber = 1'000'000;
constexpr size_t kMaxCpuFrequency = 3;
constexpr size_t kMaxGpuFrequency = 2;

struct HypervisorWord {
  std::string_view word;
  HypervisorKind kind;
};
constexpr std::array<HypervisorWord, 6> kHypervisors = {{{"kvm", HypervisorKind::kKvm},
                                                         {"chy", HypervisorKind::kChyp},
                                                         {"xen", HypervisorKind::kXen},
                                                         {"vmw", HypervisorKind::kVmware},
                                                         {"hyv", HypervisorKind::kHyperV},
                                                         {"bms", HypervisorKind::kBareMetal}}};

struct VendorGenerations {
  char vendor;
  int newest;
};
constexpr std::array<VendorGenerations, 4> kVendors = {{{'i', 6}, {'z', 6}, {'a', 5}, {'r', 0}}};

constexpr std::string_view kNvidiaGenerations[] = {"f", "k", "m", "p", "v",
                                                   "t", "a", "l", "g", "b"};
constexpr std::string_view kAmdGenerations[] = {"0.4", "0.5", "1",   "1.1", "2",   "2.1",
                                                "3",   "3.1", "3.5", "4",   "4.1", "5.1"};
constexpr std::string_view kIntelGenerations[] = {"0.9", "0.95", "1", "2", "3", "4"};

std::span<const std::string_view> gpu_generations(char brand) {
  switch (brand) {
    case 'N':
      return kNvidiaGenerations;
    case 'A':
      return kAmdGenerations;
    default:
      return kIntelGenerations;
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

// What is left of one part of a name.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view take_digits() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_digit);
    return take_first(end - rest_.begin());
  }
  size_t take_all(char wanted) {
    size_t count = 0;
    while (take(wanted)) ++count;
    return count;
  }
  // The position in `letters` of the letter that was taken.
  std::optional<size_t> take_one_of(std::string_view letters) {
    if (rest_.empty()) return std::nullopt;
    const size_t found = letters.find(rest_.front());
    if (found == std::string_view::npos) return std::nullopt;
    rest_.remove_prefix(1);
    return found;
  }

 private:
  std::string_view take_first(size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
};

// Reads every spelling whose meaning is plain and notes the first one that is not the standard's;
// the caller then compares with the formatted result and proposes it.
class Parser {
 public:
  absl::StatusOr<FlavorName> parse(std::string_view name);
  const std::string& first_deviation() const { return deviation_; }

 private:
  struct Number {
    std::string_view what;
    int64_t max;
  };

  void deviates(std::string text) {
    if (deviation_.empty()) deviation_ = std::move(text);
  }
  absl::StatusOr<int64_t> number(std::string_view digits, const Number& expected);
  absl::Status base(std::string_view text);
  absl::Status cpu(std::string_view text);
  absl::Status memory(std::string_view text);
  absl::Status memory_amount(Cursor& cursor);
  absl::Status disks(std::string_view text);
  absl::Status extension(std::string_view text);
  absl::Status cpu_vendor(std::string_view text);
  absl::Status gpu(std::string_view text);
  absl::Status gpu_generation(std::string_view text);
  absl::Status gpu_sizes(std::span<const std::string_view> parts);
  absl::Status in_order(int rank, std::string_view text);

  FlavorName name_;
  std::string deviation_;
  int last_rank_ = -1;
  std::array<bool, 5> seen_{};
};

absl::StatusOr<int64_t> Parser::number(std::string_view digits, const Number& expected) {
  int64_t value = 0;
  for (const char digit : digits) {
    value = value * 10 + (digit - '0');
    if (value > expected.max) {
      return invalid_argument("{} is larger than {}, which is the most that is understood",
                              expected.what, expected.max);
    }
  }
  if (digits.size() > 1 && digits.front() == '0') {
    deviates(fmt::format("{} has a leading zero", expected.what));
  }
  return value;
}

absl::StatusOr<FlavorName> Parser::parse(std::string_view name) {
  const std::vector<std::string_view> parts = split(name.substr(kPrefix.size()), '_');
  SW_RETURN_IF_ERROR(base(parts.front()));
  for (const std::string_view part : std::span(parts).subspan(1)) {
    SW_RETURN_IF_ERROR(extension(part));
  }
  return name_;
}

absl::Status Parser::base(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '-');
  SW_RETURN_IF_ERROR(cpu(parts[0]));
  if (parts.size() < 2 || parts[1].empty()) {
    return invalid_argument("the memory is missing; append it in GiB, as in SCS-2V-8");
  }
  SW_RETURN_IF_ERROR(memory(parts[1]));
  if (parts.size() > 3) {
    return invalid_argument("{} follows the disk part; extensions begin with '_'",
                            quoted(text.substr(parts[3].data() - text.data() - 1)));
  }
  return parts.size() == 3 ? disks(parts[2]) : absl::OkStatus();
}

absl::Status Parser::cpu(std::string_view text) {
  Cursor cursor(text);
  const std::string_view digits = cursor.take_digits();
  if (digits.empty()) {
    return invalid_argument("the number of vCPUs is missing; begin as in SCS-2V-8");
  }
  SW_ASSIGN_OR_RETURN(name_.vcpus, number(digits, {"the number of vCPUs", kMaxFlavorVcpus}));
  if (name_.vcpus == 0) return invalid_argument("the number of vCPUs is 0; give at least 1");
  const std::optional<size_t> cpu_class = cursor.take_one_of(kCpuClasses);
  if (!cpu_class) {
    return invalid_argument(
        "the number of vCPUs is followed by {}, which is no class; append L (low performance), V "
        "(shared), T (dedicated thread) or C (dedicated core)",
        quoted(cursor.rest()));
  }
  name_.cpu_class = static_cast<CpuClass>(*cpu_class);
  name_.insufficient_mitigation = cursor.take('i');
  if (cursor.empty()) return absl::OkStatus();
  return invalid_argument(
      "{} follows the vCPU class; only 'i' may stand there, before '-' and "
      "the memory",
      quoted(cursor.rest()));
}

absl::Status Parser::memory(std::string_view text) {
  Cursor cursor(text);
  SW_RETURN_IF_ERROR(memory_amount(cursor));
  name_.no_ecc = cursor.take('u');
  name_.memory_oversubscribed = cursor.take('o');
  if (!name_.no_ecc && cursor.take('u')) {
    name_.no_ecc = true;
    deviates("'o' stands before 'u' after the memory");
  }
  if (cursor.empty()) return absl::OkStatus();
  return invalid_argument(
      "{} follows the memory; only 'u' (no ECC) and 'o' (oversubscribed) may "
      "stand there",
      quoted(cursor.rest()));
}

absl::Status Parser::memory_amount(Cursor& cursor) {
  const std::string_view whole = cursor.take_digits();
  if (whole.empty()) {
    return invalid_argument(
        "the memory {} does not begin with a number; give whole or half GiB, "
        "as in SCS-2V-8",
        quoted(cursor.rest()));
  }
  SW_ASSIGN_OR_RETURN(const int64_t gib, number(whole, {"the memory", kMaxFlavorMemoryGib}));
  bool half = false;
  if (cursor.take('.')) {
    std::string_view fraction = cursor.take_digits();
    if (fraction != "5") deviates("the memory has needless decimals");
    while (fraction.ends_with('0')) fraction.remove_suffix(1);
    half = fraction == "5";
    if (!half && !fraction.empty()) {
      return invalid_argument("the memory has the fraction .{}; give whole or half GiB", fraction);
    }
  }
  name_.memory = mebibytes(1024 * gib + (half ? 512 : 0));
  if (name_.memory > Bytes()) return absl::OkStatus();
  return invalid_argument("the memory is 0; give at least 0.5 GiB");
}

absl::Status Parser::disks(std::string_view text) {
  FlavorDisks& disks = name_.disks.emplace();
  Cursor cursor(text);
  std::string_view digits = cursor.take_digits();
  if (!digits.empty() && cursor.take('x')) {
    SW_ASSIGN_OR_RETURN(disks.count, number(digits, {"the number of disks", kMaxFlavorDisks}));
    if (disks.count == 0) return invalid_argument("the number of disks is 0; give at least 1");
    if (disks.count == 1) deviates("one disk needs no count");
    digits = cursor.take_digits();
  }
  if (!digits.empty()) {
    SW_ASSIGN_OR_RETURN(const int64_t size, number(digits, {"the disk size", kMaxFlavorDiskGb}));
    if (size == 0) {
      return invalid_argument("the disk size is 0; give whole GB, or none to let the cloud choose");
    }
    disks.size = gigabytes(size);
  }
  if (const std::optional<size_t> type = cursor.take_one_of(kDiskTypes)) {
    disks.type = static_cast<DiskType>(*type + 1);
  }
  if (cursor.empty()) return absl::OkStatus();
  return invalid_argument(
      "{} is not understood in the disk part; give a count with 'x', whole GB "
      "and one of n, h, s, p, each optional, as in SCS-2V-8-2x50n",
      quoted(cursor.rest()));
}

// Ranks are the order in which the standard wants the extensions.
absl::Status Parser::extension(std::string_view text) {
  const auto hypervisor = std::find_if(kHypervisors.begin(), kHypervisors.end(),
                                       [&](const HypervisorWord& h) { return h.word == text; });
  if (hypervisor != kHypervisors.end()) {
    name_.hypervisor = hypervisor->kind;
    return in_order(0, text);
  }
  if (text == "hwv") {
    name_.nested_virtualisation = true;
    return in_order(1, text);
  }
  if (text == "ib") {
    name_.infiniband = true;
    return in_order(4, text);
  }
  if (text.starts_with('G') || text.starts_with('g')) {
    SW_RETURN_IF_ERROR(in_order(3, text));
    return gpu(text);
  }
  const bool vendor =
      !text.empty() && std::string_view("izar").find(text.front()) != std::string_view::npos &&
      std::all_of(text.begin() + 1, text.end(), [](char c) { return is_digit(c) || c == 'h'; });
  if (vendor) {
    SW_RETURN_IF_ERROR(in_order(2, text));
    return cpu_vendor(text);
  }
  return invalid_argument(
      "the extension {} is not known; known are _kvm _chy _xen _vmw _hyv _bms, _hwv, a CPU vendor "
      "as in _z3h, a GPU as in _GNa-72-24, and _ib",
      quoted(text));
}

absl::Status Parser::in_order(int rank, std::string_view text) {
  if (seen_[rank]) {
    return invalid_argument("the extension {} is the second of its kind; give it once",
                            quoted(text));
  }
  seen_[rank] = true;
  if (rank < last_rank_) deviates(fmt::format("the extension {} stands too late", quoted(text)));
  last_rank_ = std::max(rank, last_rank_);
  return absl::OkStatus();
}

absl::Status Parser::cpu_vendor(std::string_view text) {
  FlavorCpuVendor& vendor = name_.cpu_vendor.emplace();
  vendor.vendor = text.front();
  Cursor cursor(text.substr(1));
  const std::string_view digits = cursor.take_digits();
  const int newest = std::find_if(kVendors.begin(), kVendors.end(), [&](const auto& entry) {
                       return entry.vendor == vendor.vendor;
                     })->newest;
  if (!digits.empty()) {
    SW_ASSIGN_OR_RETURN(const int64_t value, number(digits, {"the CPU generation", newest}));
    if (value == 0) deviates("CPU generation 0 is written without a number");
    if (value > 0) vendor.generation = static_cast<int>(value);
  }
  const size_t frequency = cursor.take_all('h');
  if (frequency > kMaxCpuFrequency || !cursor.empty()) {
    return invalid_argument(
        "the CPU vendor {} is not understood; give i, z, a or r, a generation "
        "and at most three 'h'",
        quoted(text));
  }
  vendor.frequency = static_cast<int>(frequency);
  return absl::OkStatus();
}

absl::Status Parser::gpu(std::string_view text) {
  FlavorGpu& gpu = name_.gpu.emplace();
  gpu.pass_through = text.front() == 'G';
  Cursor cursor(text.substr(1));
  const std::optional<size_t> brand = cursor.take_one_of(kGpuBrands);
  if (!brand) {
    return invalid_argument(
        "the GPU {} has no vendor; give N (Nvidia), A (AMD) or I (Intel), as "
        "in _GNa-72-24",
        quoted(text));
  }
  gpu.vendor = kGpuBrands[*brand];
  const std::vector<std::string_view> parts = split(cursor.rest(), '-');
  SW_RETURN_IF_ERROR(gpu_generation(parts.front()));
  if (parts.size() > 3) {
    return invalid_argument(
        "the GPU {} has too many parts; after vendor and generation come the "
        "number of its units and its memory",
        quoted(text));
  }
  return gpu_sizes(std::span(parts).subspan(1));
}

absl::Status Parser::gpu_generation(std::string_view text) {
  const auto known = gpu_generations(name_.gpu->vendor);
  if (!text.empty() && std::find(known.begin(), known.end(), text) == known.end()) {
    return invalid_argument(
        "the GPU generation {} is not known for vendor {}; leave it out or "
        "give one of {}",
        quoted(text), name_.gpu->vendor, fmt::join(known, ", "));
  }
  name_.gpu->generation = text;
  return absl::OkStatus();
}

absl::Status Parser::gpu_sizes(std::span<const std::string_view> parts) {
  static constexpr std::string_view kWhat[] = {"the number of GPU units", "the GPU memory"};
  for (size_t i = 0; i < parts.size(); ++i) {
    Cursor cursor(parts[i]);
    const std::string_view digits = cursor.take_digits();
    SW_ASSIGN_OR_RETURN(const int64_t value, number(digits, {kWhat[i], kMaxGpuNumber}));
    const size_t frequency = cursor.take_all('h');
    if (value == 0 || frequency > kMaxGpuFrequency || !cursor.empty()) {
      return invalid_argument(
          "{} {} is not understood; give a whole number from 1 and at most two "
          "'h'",
          kWhat[i], quoted(parts[i]));
    }
    (i == 0 ? name_.gpu->units : name_.gpu->memory_gib) = value;
    (i == 0 ? name_.gpu->units_frequency : name_.gpu->memory_bandwidth) =
        static_cast<int>(frequency);
  }
  return absl::OkStatus();
}

std::string format_memory(Bytes memory) {
  const int64_t halves = memory.count() / mebibytes(512).count();
  return fmt::format("{}{}", halves / 2, halves % 2 == 1 ? ".5" : "");
}

std::string format_disks(const FlavorDisks& disks) {
  std::string text;
  if (disks.count != 1) text += fmt::format("{}x", disks.count);
  if (disks.size > Bytes()) text += fmt::format("{}", disks.size.count() / gigabytes(1).count());
  if (disks.type != DiskType::kUnspecified) text += kDiskTypes[static_cast<size_t>(disks.type) - 1];
  return text;
}

std::string format_gpu(const FlavorGpu& gpu) {
  std::string text =
      fmt::format("{}{}{}", gpu.pass_through ? 'G' : 'g', gpu.vendor, gpu.generation);
  const auto append = [&text](const std::optional<int64_t>& size, int frequency) {
    if (size) text += fmt::format("-{}{}", *size, std::string(frequency, 'h'));
  };
  append(gpu.units, gpu.units_frequency);
  append(gpu.memory_gib, gpu.memory_bandwidth);
  return text;
}

absl::Status refuse(std::string_view name, std::string_view why) {
  return invalid_argument("{}: {}", quoted(name), why);
}

}  // namespace

absl::StatusOr<FlavorName> parse_flavor_name(std::string_view name) {
  if (name.size() > kMaxFlavorNameLength) {
    return refuse(name, fmt::format("is longer than {} bytes, which no flavor name needs",
                                    kMaxFlavorNameLength));
  }
  if (!name.starts_with(kPrefix)) return refuse(name, "does not begin with SCS-, as in SCS-2V-8");
  Parser parser;
  const absl::StatusOr<FlavorName> parsed = parser.parse(name);
  if (!parsed.ok()) return refuse(name, message_of(parsed.status()));
  const std::string standard = format_flavor_name(*parsed);
  if (standard == name) return parsed;
  return refuse(name, fmt::format("{}; write {}", parser.first_deviation(), standard));
}

std::string format_flavor_name(const FlavorName& name) {
  std::string text = fmt::format(
      "{}{}{}{}-{}{}{}", kPrefix, name.vcpus, kCpuClasses[static_cast<size_t>(name.cpu_class)],
      name.insufficient_mitigation ? "i" : "", format_memory(name.memory), name.no_ecc ? "u" : "",
      name.memory_oversubscribed ? "o" : "");
  if (name.disks) text += "-" + format_disks(*name.disks);
  if (name.hypervisor != HypervisorKind::kUnspecified) {
    text += fmt::format("_{}", kHypervisors[static_cast<size_t>(name.hypervisor) - 1].word);
  }
  if (name.nested_virtualisation) text += "_hwv";
  if (const auto& vendor = name.cpu_vendor) {
    const std::string generation = vendor->generation ? std::to_string(*vendor->generation) : "";
    text += fmt::format("_{}{}{}", vendor->vendor, generation, std::string(vendor->frequency, 'h'));
  }
  if (name.gpu) text += "_" + format_gpu(*name.gpu);
  if (name.infiniband) text += "_ib";
  return text;
}

std::string flavor_name_v1(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '-', ':');
  std::replace(text.begin(), text.end(), '_', '-');
  if (text.starts_with("SCS:")) text[3] = '-';
  return text;
}

}  // namespace stellwerk
