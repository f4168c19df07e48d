#include "placement/explain.h"

namespace stellwerk::placement {

Explanation explain(Engine& engine, const Request& request) {
  Explanation explanation;
  explanation.fits = std::holds_alternative<Placed>(engine.place(request));
  return explanation;
}

}  // namespace stellwerk::placement
