#include "config/section_reader.hpp"

#include "config/toml_reader.hpp"
#include "config/units.hpp"

#include <algorithm>

namespace stationsync::host {

static std::string excerpt(const std::string& text) {
    constexpr std::size_t bytes_max = 60;
    return toml_quoted(text.size() <= bytes_max ? text : text.substr(0, bytes_max) + "...");
}

SectionReader::SectionReader(const ConfigValue* table, std::string title,
                             const std::filesystem::path& file,
                             std::vector<ConfigProblem>& problems)
    : table_(table), title_(std::move(title)), file_(file), problems_(problems) {
    if (table_ != nullptr && table_->get<ConfigValue::Table>() == nullptr) {
        problem(table_->line,
                title_ + " must be a table, not " + std::string(kind_of(*table_)) + ".");
        table_ = nullptr;
    }
}

const ConfigValue* SectionReader::find(const std::string& key) {
    known_.push_back(key);
    return table_ == nullptr ? nullptr : table_->find(key);
}

std::string SectionReader::named(const std::string& key) const {
    return "`" + key + "`" + (title_.empty() ? "" : " in " + title_);
}

void SectionReader::problem(unsigned line, std::string text) {
    problems_.push_back({file_, line, std::move(text)});
}

void SectionReader::wrong(const std::string& key, const ConfigValue& value,
                          std::string_view right) {
    std::string shown; // a long text is cut: it may be a whole query
    if (const auto* text = value.get<std::string>()) {
        shown = excerpt(*text);
    } else if (value.get<SecretReference>() != nullptr ||
               value.get<ConfigValue::List>() != nullptr ||
               value.get<ConfigValue::Table>() != nullptr) {
        shown = std::string(kind_of(value));
    } else {
        shown = to_json_text(value);
    }
    problem(value.line, named(key) + " must be " + std::string(right) + ", not " + shown + ".");
}

std::optional<std::string> SectionReader::text(const std::string& key) {
    const auto* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (const auto* text = value->get<std::string>()) {
        return *text;
    }
    wrong(key, *value, "text in quotes");
    return std::nullopt;
}

std::optional<bool> SectionReader::truth(const std::string& key) {
    const auto* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (const auto* truth = value->get<bool>()) {
        return *truth;
    }
    wrong(key, *value, "true or false (without quotes)");
    return std::nullopt;
}

std::optional<std::int64_t> SectionReader::integer(const std::string& key, std::int64_t least,
                                                   std::int64_t most) {
    const auto* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    const auto* number = value->get<std::int64_t>();
    if (number != nullptr && *number >= least && *number <= most) {
        return *number;
    }
    wrong(key, *value,
          "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
}

std::optional<std::chrono::milliseconds> SectionReader::duration(const std::string& key,
                                                                 std::chrono::milliseconds least) {
    const auto* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    const auto* text = value->get<std::string>();
    const auto duration = text == nullptr ? std::nullopt : parse_duration(*text);
    if (duration && *duration >= least) {
        return duration;
    }
    wrong(key, *value,
          (least.count() > 0 ? "a duration of at least " + duration_text(least) : "a duration") +
              R"( such as "5s", "3m" or "1h30m")");
    return std::nullopt;
}

std::optional<std::uint64_t> SectionReader::size(const std::string& key, std::uint64_t least) {
    const auto* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    const auto* text = value->get<std::string>();
    const auto* number = value->get<std::int64_t>();
    auto size = text == nullptr ? std::nullopt : parse_size(*text);
    if (number != nullptr && *number >= 0) {
        size = static_cast<std::uint64_t>(*number);
    }
    if (size && *size >= least) {
        return size;
    }
    wrong(key, *value,
          (least > 0 ? "a size of at least " + size_text(least) : "a size") +
              R"( such as "64MB" or "20GB")");
    return std::nullopt;
}

std::vector<std::pair<std::string, unsigned>> SectionReader::texts(const std::string& key) {
    std::vector<std::pair<std::string, unsigned>> texts;
    const auto* value = find(key);
    if (value == nullptr) {
        return texts;
    }
    if (const auto* text = value->get<std::string>()) {
        texts.emplace_back(*text, value->line);
    } else if (const auto* list = value->get<ConfigValue::List>()) {
        for (const auto& item : *list) {
            if (const auto* element = item.get<std::string>()) {
                texts.emplace_back(*element, item.line);
            } else {
                wrong(key, item, "a list of texts in quotes");
            }
        }
    } else {
        wrong(key, *value, "text in quotes or a list of them");
    }
    return texts;
}

std::vector<std::pair<std::int64_t, unsigned>> SectionReader::integers(const std::string& key) {
    std::vector<std::pair<std::int64_t, unsigned>> integers;
    const auto* value = find(key);
    if (value == nullptr) {
        return integers;
    }
    const auto* list = value->get<ConfigValue::List>();
    if (const auto* single = value->get<std::int64_t>()) {
        integers.emplace_back(*single, value->line);
    } else if (list == nullptr) {
        wrong(key, *value, "a list of whole numbers such as [8883]");
    } else {
        for (const auto& item : *list) {
            if (const auto* element = item.get<std::int64_t>()) {
                integers.emplace_back(*element, item.line);
            } else {
                wrong(key, item, "a list of whole numbers such as [8883]");
            }
        }
    }
    return integers;
}

const ConfigValue* SectionReader::table(const std::string& key) {
    const auto* value = find(key);
    if (value != nullptr && value->get<ConfigValue::Table>() == nullptr) {
        wrong(key, *value, "a table");
        return nullptr;
    }
    return value;
}

bool SectionReader::has(const std::string& key) const {
    return table_ != nullptr && table_->find(key) != nullptr;
}

unsigned SectionReader::line_of(const std::string& key) const {
    if (table_ != nullptr) {
        for (const auto& entry : std::get<ConfigValue::Table>(table_->data)) {
            if (entry.key == key) {
                return entry.line;
            }
        }
        return table_->line;
    }
    return 0;
}

void SectionReader::report_unknown() {
    if (table_ == nullptr) {
        return;
    }
    for (const auto& entry : std::get<ConfigValue::Table>(table_->data)) {
        if (std::ranges::find(known_, entry.key) == known_.end()) {
            const auto* what = entry.value.get<ConfigValue::Table>() != nullptr ? "section" : "key";
            problem(entry.line, std::string("unknown ") + what + " " + named(entry.key) + "." +
                                    suggestion(entry.key, known_));
        }
    }
}

ConfigValue SectionReader::take_rest() {
    ConfigValue rest;
    ConfigValue::Table entries;
    if (table_ != nullptr) {
        rest.line = table_->line;
        for (const auto& entry : std::get<ConfigValue::Table>(table_->data)) {
            if (std::ranges::find(known_, entry.key) == known_.end()) {
                entries.push_back(entry);
            }
        }
    }
    rest.data = std::move(entries);
    return rest;
}

} // namespace stationsync::host
