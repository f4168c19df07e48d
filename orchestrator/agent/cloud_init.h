// What a guest is told of itself at its first boot: the files of a cloud-init NoCloud seed.
// https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html
//
// Meta-data and network configuration are written as JSON, which is YAML, by a library that
// quotes: no text of a caller can become structure. User-data is the caller's own and is passed on
// byte by byte. Pure; any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/model.h"
#include "core/status.h"
#include "drivers/storage/storage.h"

namespace stellwerk::agent {

// The port's network; NotFound names the one that is missing.
absl::StatusOr<std::reference_wrapper<const Network>> network_of(
    const Port& port, const std::vector<Network>& networks);

// `networks` holds those that the instance's ports name; NotFound says which is missing.
absl::StatusOr<storage::SeedSpec> make_seed(const Instance& instance,
                                            const std::vector<Network>& networks,
                                            std::string user_data);

}  // namespace stellwerk::agent
