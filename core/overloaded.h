// Exhaustive visits: std::visit(Overloaded{[](const A&) {...}, [](const B&) {...}}, variant).
#pragma once

namespace stellwerk {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

}  // namespace stellwerk
