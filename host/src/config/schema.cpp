#include "config/schema.hpp"

#include "config/units.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace stationsync::host {
namespace {

using nlohmann::json;

struct KeyRule {
    std::string type;
    bool required = false;
    std::string help;
};
using KeyRules = std::map<std::string, KeyRule, std::less<>>;

std::optional<KeyRules> parse_rules(std::string_view schema) {
    const auto parsed = json::parse(schema, nullptr, false);
    if (!parsed.is_object()) {
        return std::nullopt;
    }
    KeyRules rules;
    for (const auto& [key, about] : parsed.items()) {
        if (!about.is_object()) {
            return std::nullopt;
        }
        KeyRule rule;
        if (const auto type = about.find("type"); type != about.end() && type->is_string()) {
            rule.type = type->get<std::string>();
        }
        if (const auto required = about.find("required");
            required != about.end() && required->is_boolean()) {
            rule.required = required->get<bool>();
        }
        if (const auto help = about.find("help"); help != about.end() && help->is_string()) {
            rule.help = help->get<std::string>();
        }
        rules.emplace(key, std::move(rule));
    }
    return rules;
}

bool is_scalar(const ConfigValue& value) {
    return value.get<std::string>() != nullptr || value.get<std::int64_t>() != nullptr ||
           value.get<bool>() != nullptr;
}

// The first value that does not fit, or null.
const ConfigValue* misfit(const ConfigValue& value, std::string_view type) {
    bool fits = true;
    if (type == "string") {
        fits = value.get<std::string>() != nullptr;
    } else if (type == "integer") {
        fits = value.get<std::int64_t>() != nullptr;
    } else if (type == "boolean") {
        fits = value.get<bool>() != nullptr;
    } else if (type == "secret") {
        fits = value.get<SecretReference>() != nullptr;
    } else if (type == "list") {
        if (const auto* list = value.get<ConfigValue::List>()) {
            const auto bad = std::ranges::find_if_not(*list, is_scalar);
            return bad == list->end() ? nullptr : &*bad;
        }
        fits = is_scalar(value);
    }
    return fits ? nullptr : &value;
}

std::string_view type_text(std::string_view type) {
    if (type == "string") {
        return "text in quotes";
    }
    if (type == "integer") {
        return "a whole number";
    }
    if (type == "boolean") {
        return "true or false (without quotes)";
    }
    if (type == "secret") {
        return "a secret: { secret = \"NAME\" }, set with `stationsync secret set NAME`";
    }
    return "a list of texts in quotes";
}

class Checker {
public:
    Checker(const KeyRules& rules, const std::filesystem::path& file, const std::string& title)
        : rules_(rules), file_(file), title_(title) {}

    std::vector<ConfigProblem> problems;

    void check(const ConfigValue::Table& table, const std::string& prefix) {
        for (const auto& entry : table) {
            const auto key = prefix + entry.key;
            const auto rule = rules_.find(key);
            if (rule != rules_.end()) {
                check_value(key, entry.value, rule->second);
                seen_.push_back(key);
            } else if (const auto* inner = entry.value.get<ConfigValue::Table>();
                       inner != nullptr && prefix.empty() && has_keys_in(entry.key)) {
                check(*inner, entry.key + ".");
            } else {
                std::vector<std::string> known;
                for (const auto& each : rules_) {
                    known.push_back(each.first);
                }
                report(entry.line,
                       "unknown key `" + key + "` in " + title_ + "." + suggestion(key, known));
            }
        }
    }

    void check_required(unsigned line) {
        for (const auto& [key, rule] : rules_) {
            if (rule.required && std::ranges::find(seen_, key) == seen_.end()) {
                report(line, title_ + " lacks the key `" + key + "`, " +
                                 std::string(type_text(rule.type)) + in_brackets(rule.help) + ".");
            }
        }
    }

private:
    void report(unsigned line, std::string text) {
        problems.push_back({file_, line, std::move(text)});
    }

    static std::string in_brackets(const std::string& help) {
        return help.empty() ? help : " (" + help + ")";
    }

    bool has_keys_in(const std::string& table) const {
        return std::ranges::any_of(
            rules_, [&table](const auto& rule) { return rule.first.starts_with(table + "."); });
    }

    void check_value(const std::string& key, const ConfigValue& value, const KeyRule& rule) {
        const auto* const bad = misfit(value, rule.type);
        if (bad != nullptr) {
            report(bad->line, "`" + key + "` in " + title_ + " must be " +
                                  std::string(type_text(rule.type)) + in_brackets(rule.help) +
                                  ", not " + std::string(kind_of(*bad)) + ".");
        }
    }

    const KeyRules& rules_;
    const std::filesystem::path& file_;
    const std::string& title_;
    std::vector<std::string> seen_;
};

} // namespace

std::vector<ConfigProblem> check_plugin_keys(const ConfigValue& table, std::string_view schema,
                                             const std::filesystem::path& file,
                                             const std::string& title, const std::string& plugin) {
    const auto rules = parse_rules(schema);
    if (!rules) {
        return {{file, table.line,
                 "the plugin \"" + plugin + "\" of " + title +
                     " describes its keys in a form that cannot be read: ask its author for a new "
                     "version."}};
    }
    Checker checker(*rules, file, title);
    if (const auto* entries = table.get<ConfigValue::Table>()) {
        checker.check(*entries, "");
    }
    checker.check_required(table.line);
    return std::move(checker.problems);
}

} // namespace stationsync::host
