#include "cli/json_read.hpp"

#include "config/units.hpp"

namespace stationsync::host::cli {

static const Json& empty_list() {
    static const auto list = Json::array();
    return list;
}

const Json& field(const Json& object, const char* name) {
    static const Json none;
    if (!object.is_object()) {
        return none;
    }
    const auto found = object.find(name);
    return found == object.end() ? none : *found;
}

static std::string as_text(const Json& value) {
    if (value.is_string()) {
        return value.get<std::string>();
    }
    return value.is_null() ? std::string() : value.dump();
}

std::string text_at(const Json& object, const char* name) {
    return as_text(field(object, name));
}

bool truth_at(const Json& object, const char* name) {
    const auto& value = field(object, name);
    return value.is_boolean() && value.get<bool>();
}

std::int64_t number_at(const Json& object, const char* name) {
    const auto& value = field(object, name);
    return value.is_number() ? value.get<std::int64_t>() : 0;
}

const Json& list_at(const Json& object, const char* name) {
    const auto& value = field(object, name);
    return value.is_array() ? value : empty_list();
}

std::string time_at(const Json& object, const char* name) {
    auto text = text_at(object, name);
    constexpr std::size_t seconds_end = 19;
    if (text.size() > seconds_end && text[10] == 'T' && text.back() == 'Z') {
        text.resize(seconds_end);
        text[10] = ' ';
    }
    return text;
}

std::string size_at(const Json& object, const char* name) {
    const auto& value = field(object, name);
    return value.is_number() && value.get<std::int64_t>() >= 0
               ? size_text(value.get<std::uint64_t>())
               : std::string();
}

std::string texts_at(const Json& object, const char* name) {
    std::string texts;
    for (const auto& item : list_at(object, name)) {
        texts += (texts.empty() ? "" : ", ") + as_text(item);
    }
    return texts;
}

const Json& listing(const Json& answer, const char* name) {
    return answer.is_array() ? answer : list_at(answer, name);
}

} // namespace stationsync::host::cli
