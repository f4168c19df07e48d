// A vector that is empty nearly always, and is then as small as a pointer: for what few guests ask
// and every host could have to count.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <vector>

namespace stellwerk::placement {

template <class T>
class RareVector {
 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  RareVector() = default;
  RareVector(std::initializer_list<T> values) { all() = values; }
  RareVector(const RareVector& other) { *this = other; }
  RareVector(RareVector&&) noexcept = default;
  RareVector& operator=(const RareVector& other) {
    if (this == &other) return *this;
    values_ = other.values_ ? std::make_unique<std::vector<T>>(*other.values_) : nullptr;
    return *this;
  }
  RareVector& operator=(RareVector&&) noexcept = default;
  ~RareVector() = default;

  bool empty() const { return size() == 0; }
  size_t size() const { return values_ ? values_->size() : 0; }
  T& operator[](size_t i) { return (*values_)[i]; }
  const T& operator[](size_t i) const { return (*values_)[i]; }
  iterator begin() { return values_ ? values_->data() : nullptr; }
  iterator end() { return begin() + size(); }
  const_iterator begin() const { return values_ ? values_->data() : nullptr; }
  const_iterator end() const { return begin() + size(); }

  void resize(size_t size) {
    if (size != this->size()) all().resize(size);
  }
  void assign(size_t size, const T& value) { all().assign(size, value); }
  void push_back(const T& value) { all().push_back(value); }

 private:
  std::vector<T>& all() {
    if (!values_) values_ = std::make_unique<std::vector<T>>();
    return *values_;
  }
  std::unique_ptr<std::vector<T>> values_;
};

}  // namespace stellwerk::placement
