#include "config/schema.hpp"

#include "config/toml_reader.hpp"
#include "config/units.hpp"
#include "config/value_json.hpp"

#include <nlohmann/json.hpp>

namespace stationsync::host {
namespace {

using nlohmann::json;

constexpr int depth_max = 32;

bool has_type(const ConfigValue& value, std::string_view type) {
    if (type == "string") {
        return value.get<std::string>() != nullptr || value.get<SecretReference>() != nullptr;
    }
    if (type == "secret") {
        return value.get<SecretReference>() != nullptr;
    }
    if (type == "integer") {
        return value.get<std::int64_t>() != nullptr;
    }
    if (type == "number") {
        return value.get<std::int64_t>() != nullptr || value.get<double>() != nullptr;
    }
    if (type == "boolean") {
        return value.get<bool>() != nullptr;
    }
    if (type == "array") {
        return value.get<ConfigValue::List>() != nullptr;
    }
    return type == "object" && value.get<ConfigValue::Table>() != nullptr;
}

std::string type_text(std::string_view type) {
    if (type == "string") {
        return "text in quotes";
    }
    if (type == "secret") {
        return "a secret such as { secret = \"NAME\" }";
    }
    if (type == "integer") {
        return "a whole number";
    }
    if (type == "number") {
        return "a number";
    }
    if (type == "boolean") {
        return "true or false";
    }
    return type == "array" ? "a list" : "a table";
}

std::vector<std::string> types_of(const json& schema) {
    std::vector<std::string> types;
    const auto found = schema.find("type");
    if (found == schema.end()) {
        return types;
    }
    if (found->is_string()) {
        types.push_back(found->get<std::string>());
    } else if (found->is_array()) {
        for (const auto& type : *found) {
            if (type.is_string()) {
                types.push_back(type.get<std::string>());
            }
        }
    }
    return types;
}

std::optional<double> number_at(const json& schema, const char* keyword) {
    const auto found = schema.find(keyword);
    return found != schema.end() && found->is_number() ? std::optional(found->get<double>())
                                                       : std::nullopt;
}

class Checker {
public:
    Checker(const std::filesystem::path& file, std::string title)
        : file_(file), title_(std::move(title)) {}

    std::vector<ConfigProblem> problems;

    // `name` is how the value is called in messages; empty for the section itself.
    void check(const ConfigValue& value, const json& schema, const std::string& name, int depth) {
        if (!schema.is_object() || depth > depth_max) {
            return;
        }
        if (!check_type(value, schema, name) || !check_any_of(value, schema, name, depth)) {
            return;
        }
        check_enum(value, schema, name);
        check_bounds(value, schema, name);
        if (const auto* table = value.get<ConfigValue::Table>()) {
            check_table(*table, value.line, schema, name, depth);
        }
        const auto items = schema.find("items");
        const auto* list = value.get<ConfigValue::List>();
        if (list != nullptr && items != schema.end()) {
            for (const auto& item : *list) {
                check(item, *items, "an element of " + name, depth + 1);
            }
        }
    }

private:
    void report(unsigned line, std::string text) {
        problems.push_back({file_, line, std::move(text)});
    }
    std::string in_section(const std::string& name) const {
        return name.empty() ? title_ : name + " in " + title_;
    }

    bool check_type(const ConfigValue& value, const json& schema, const std::string& name) {
        const auto types = types_of(schema);
        std::string right;
        for (const auto& type : types) {
            if (has_type(value, type)) {
                return true;
            }
            right += (right.empty() ? "" : " or ") + type_text(type);
        }
        if (types.empty()) {
            return true;
        }
        report(value.line, in_section(name) + " must be " + right + ", not " +
                               std::string(kind_of(value)) + ".");
        return false;
    }

    bool check_any_of(const ConfigValue& value, const json& schema, const std::string& name,
                      int depth) {
        const auto any = schema.find("anyOf");
        if (any == schema.end() || !any->is_array() || any->empty()) {
            return true;
        }
        std::vector<ConfigProblem> first;
        for (const auto& choice : *any) {
            Checker attempt(file_, title_);
            attempt.check(value, choice, name, depth + 1);
            if (attempt.problems.empty()) {
                return true;
            }
            if (first.empty()) {
                first = std::move(attempt.problems);
            }
        }
        problems.insert(problems.end(), first.begin(), first.end());
        return false;
    }

    void check_enum(const ConfigValue& value, const json& schema, const std::string& name) {
        const auto choices = schema.find("enum");
        if (choices == schema.end() || !choices->is_array()) {
            return;
        }
        const auto mine = to_json(value);
        std::vector<std::string> known;
        for (const auto& choice : *choices) {
            if (choice == mine) {
                return;
            }
            known.push_back(choice.is_string() ? choice.get<std::string>() : choice.dump());
        }
        const auto* text = value.get<std::string>();
        report(value.line, in_section(name) + " cannot be " + mine.dump() + "." +
                               suggestion(text == nullptr ? "" : *text, known));
    }

    void check_bounds(const ConfigValue& value, const json& schema, const std::string& name) {
        struct Bound {
            const char* least;
            const char* most;
            const char* unit;
            std::optional<double> measured;
        };
        Bound number{"minimum", "maximum", "", {}};
        Bound text{"minLength", "maxLength", " bytes long", {}};
        Bound list{"minItems", "maxItems", " elements long", {}};
        if (const auto* integer = value.get<std::int64_t>()) {
            number.measured = static_cast<double>(*integer);
        } else if (const auto* real = value.get<double>()) {
            number.measured = *real;
        } else if (const auto* string = value.get<std::string>()) {
            text.measured = static_cast<double>(string->size());
        } else if (const auto* elements = value.get<ConfigValue::List>()) {
            list.measured = static_cast<double>(elements->size());
        }
        for (const auto& bound : {number, text, list}) {
            const auto least = number_at(schema, bound.least);
            const auto most = number_at(schema, bound.most);
            if (bound.measured && least && *bound.measured < *least) {
                report(value.line, in_section(name) + " must be at least " + json(*least).dump() +
                                       bound.unit + ".");
            }
            if (bound.measured && most && *bound.measured > *most) {
                report(value.line, in_section(name) + " must be at most " + json(*most).dump() +
                                       bound.unit + ".");
            }
        }
    }

    void check_table(const ConfigValue::Table& table, unsigned line, const json& schema,
                     const std::string& name, int depth) {
        const auto empty = json::object();
        const auto found = schema.find("properties");
        const auto& properties = found != schema.end() && found->is_object() ? *found : empty;
        std::vector<std::string> known;
        for (const auto& [key, ignored] : properties.items()) {
            known.push_back(key);
        }
        const auto rest = schema.find("additionalProperties");
        for (const auto& entry : table) {
            const auto quoted = "`" + entry.key + "`" + (name.empty() ? "" : " of " + name);
            if (const auto property = properties.find(entry.key); property != properties.end()) {
                check(entry.value, *property, quoted, depth + 1);
            } else if (rest != schema.end() && rest->is_object()) {
                check(entry.value, *rest, quoted, depth + 1);
            } else if (rest != schema.end() && rest->is_boolean() && !rest->get<bool>()) {
                report(entry.line,
                       "unknown key " + in_section(quoted) + "." + suggestion(entry.key, known));
            }
        }
        check_required(table, line, schema, properties, name);
    }

    void check_required(const ConfigValue::Table& table, unsigned line, const json& schema,
                        const json& properties, const std::string& name) {
        const auto required = schema.find("required");
        if (required == schema.end() || !required->is_array()) {
            return;
        }
        for (const auto& key : *required) {
            if (!key.is_string()) {
                continue;
            }
            const auto text = key.get<std::string>();
            const auto present = [&](const ConfigEntry& entry) { return entry.key == text; };
            if (std::ranges::any_of(table, present)) {
                continue;
            }
            auto message = in_section(name) + " lacks the key `" + text + "`";
            if (const auto property = properties.find(text); property != properties.end()) {
                const auto types = types_of(*property);
                message += types.empty() ? "" : " (" + type_text(types.front()) + ")";
                if (const auto about = property->find("description");
                    about != property->end() && about->is_string()) {
                    message += ": " + about->get<std::string>();
                }
            }
            report(line, message + (message.ends_with('.') ? "" : "."));
        }
    }

    const std::filesystem::path& file_;
    std::string title_;
};

} // namespace

std::vector<ConfigProblem> check_plugin_keys(const ConfigValue& table, std::string_view schema,
                                             const std::filesystem::path& file,
                                             const std::string& title, const std::string& plugin) {
    const auto parsed = json::parse(schema, nullptr, false);
    if (parsed.is_discarded() || !parsed.is_object()) {
        return {
            {file, table.line,
             "the plugin \"" + plugin + "\" of " + title +
                 " describes its keys in a form that is not JSON: ask its author for a new one."}};
    }
    Checker checker(file, title);
    checker.check(table, parsed, "", 0);
    return std::move(checker.problems);
}

} // namespace stationsync::host
