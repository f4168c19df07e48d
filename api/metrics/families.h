// Building families of gauges from values that are looked up when somebody asks. Pure.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

namespace stellwerk::metrics {

using Families = std::vector<prometheus::MetricFamily>;
using Labels = std::vector<std::pair<std::string, std::string>>;

struct FamilyText {
  const char* name;
  const char* help;
};

struct Sample {
  Labels labels;
  double value = 0;
};

inline prometheus::MetricFamily family_of(prometheus::MetricType type, const FamilyText& text,
                                          const std::vector<Sample>& samples) {
  prometheus::MetricFamily family{.name = text.name, .help = text.help, .type = type, .metric = {}};
  for (const Sample& sample : samples) {
    prometheus::ClientMetric metric;
    for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
    metric.gauge.value = sample.value;
    metric.counter.value = sample.value;
    family.metric.push_back(std::move(metric));
  }
  return family;
}

inline void add_gauge(Families& families, const FamilyText& text,
                      const std::vector<Sample>& samples) {
  families.push_back(family_of(prometheus::MetricType::Gauge, text, samples));
}
inline void add_counter(Families& families, const FamilyText& text,
                        const std::vector<Sample>& samples) {
  families.push_back(family_of(prometheus::MetricType::Counter, text, samples));
}

}  // namespace stellwerk::metrics
