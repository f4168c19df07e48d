// How many commits a second SQLite takes, alone and grouped. Durable ones: the figure is the
// disk's.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>

#include "drivers/store/sqlite/sqlite_store.h"

namespace stellwerk::store {
namespace {

void commit_batches(benchmark::State& state) {
  char folder[] = "/tmp/stellwerk-bench-XXXXXX";
  if (!mkdtemp(folder)) return state.SkipWithError("no temporary folder");
  {
    auto store = SqliteStore::open(std::string(folder) + "/bench.db");
    auto head = store.ok() ? (*store)->take_over(std::nullopt, Uuid::v5(Uuid(), "bench"))
                           : absl::StatusOr<Head>(store.status());
    int64_t key = 0;
    for (auto _ : state) {
      if (!head.ok()) {
        state.SkipWithError("the store refused a commit");
        break;
      }
      Batch batch;
      for (int64_t i = 0; i < state.range(0); ++i) {
        batch.puts.push_back(
            {"instance/" + std::to_string(key++ % 10'000), std::string(1000, 'x')});
      }
      head = (*store)->commit(*head, batch);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(commit_batches)->Arg(1)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace stellwerk::store
