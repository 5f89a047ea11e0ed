#pragma once
// What a request of the local API brings along.

#include <nlohmann/json.hpp>

#include <string>

namespace stationsync::host {

// Empty when there is no such text.
inline std::string text_of(const nlohmann::json& arguments, const char* name) {
    const auto place = arguments.find(name);
    return place != arguments.end() && place->is_string() ? place->get<std::string>()
                                                          : std::string();
}

} // namespace stationsync::host
