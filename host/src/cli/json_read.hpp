#pragma once
// Reads answers of the service leniently: a missing or strange field is empty, never an error.
// Newer services may say more and older ones less.

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace stationsync::host::cli {

using Json = nlohmann::json;

const Json& field(const Json& object, const char* name); // null JSON when missing
// Numbers and booleans as text, null as "".
std::string text_at(const Json& object, const char* name);
bool truth_at(const Json& object, const char* name);
std::int64_t number_at(const Json& object, const char* name);
// The elements of an array; an object or null has none. The reference must outlive the result.
const Json& list_at(const Json& object, const char* name);
// "2026-03-01T08:15:00.123456Z" -> "2026-03-01 08:15:00"; what is no such time stays.
std::string time_at(const Json& object, const char* name);
std::string size_at(const Json& object, const char* name); // "1.5 GB"; empty when missing
// Texts of an array, joined by ", ".
std::string texts_at(const Json& object, const char* name);

// A listing is an array, or an object with the array at `name`.
const Json& listing(const Json& answer, const char* name);

} // namespace stationsync::host::cli
