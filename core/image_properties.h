// Metadata of images after SCS-0102 (Sovereign Cloud Stack, "SCS Image Metadata" v1.1): each
// property with the rule for its values. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"
#include "core/validate.h"

namespace stellwerk {

// What is wrong with one property: an unknown key (the known ones are named), a value against its
// own rule, or one that this cell could not honour (another architecture than x86_64, another disk
// bus than virtio).
Problem check_image_property(std::string_view key, std::string_view value);

// What holds between properties: license_included and license_required exclude each other.
Problem check_image_properties(const Labels& properties);

// Mandatory properties of a provider's public image that `properties` lacks, in the standard's
// order. min_disk and min_ram are fields of the image and not counted here.
std::vector<std::string_view> missing_image_properties(const Labels& properties);

// In order.
const std::vector<std::string_view>& known_image_properties();

}  // namespace stellwerk
