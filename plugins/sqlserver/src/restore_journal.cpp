#include "restore_journal.hpp"

#include <stationsync/sha256.hpp>

#include <algorithm>
#include <charconv>
#include <map>

namespace stationsync::sqlserver {

namespace {

constexpr const char* list_name = "restores";
constexpr const char* leftover_list = "restore_leftovers";
constexpr std::string_view format = "stationsync restore 2\n";

// The host's names are shorter than keys of objects.
std::string value_name(const std::string& key, std::string name = "restore:") {
    for (const std::uint8_t byte : sdk::sha256(key)) {
        name += "0123456789abcdef"[byte >> 4];
        name += "0123456789abcdef"[byte & 15u];
    }
    return name;
}

std::string leftover_value(const Intent& leftover) {
    return value_name(leftover_name(leftover), "leftover:");
}

void add(std::string& text, std::string_view name, std::string_view value) {
    text += name;
    text += '=';
    for (const char byte : value) {
        if (byte == '\n')
            text += "\\n";
        else if (byte == '\\')
            text += "\\\\";
        else
            text += byte;
    }
    text += '\n';
}

std::string unescaped(std::string_view value) {
    std::string text;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] != '\\' || i + 1 == value.size())
            text += value[i];
        else
            text += value[++i] == 'n' ? '\n' : value[i];
    }
    return text;
}

using Fields = std::map<std::string, std::string, std::less<>>;

Fields fields_of(std::string_view text) {
    Fields fields;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (const std::size_t equals = line.find('='); equals != std::string_view::npos)
            fields.emplace(line.substr(0, equals), unescaped(line.substr(equals + 1)));
    }
    return fields;
}

// The texts of an intent by name, for writing and for reading.
template <class Of, class Use>
void each_text(Of& intent, Use&& use) {
    use("key", intent.key);
    use("database", intent.database);
    use("backup_set", intent.backup_set);
    use("family", intent.family);
    use("content", intent.content);
    use("apply_id", intent.apply_id);
    use("primary", intent.primary);
    use("incoming", intent.incoming);
    use("outgoing", intent.outgoing);
    use("kept_name", intent.kept_name);
    use("safety_file", intent.safety_file);
    use("safety_here", intent.safety_here);
    use("access", intent.access);
    use("fork", intent.fork);
    use("owner", intent.owner);
    use("before", intent.before);
}

template <class Of, class Use>
void each_flag(Of& intent, Use&& use) {
    use("was_there", intent.was_there);
    use("was_trustworthy", intent.was_trustworthy);
    use("was_chaining", intent.was_chaining);
    use("had_broker", intent.had_broker);
    use("is_given_up", intent.is_given_up);
    use("was_taken_offline", intent.was_taken_offline);
    use("is_checked", intent.is_checked);
    use("is_kept_for_safety", intent.is_kept_for_safety);
}

bool read_number(const std::string& text, std::int64_t& number) {
    const char* const end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, number);
    return failure == std::errc{} && stopped == end;
}

} // namespace

std::string encode(const Intent& intent) {
    std::string text(format);
    each_text(intent, [&](const char* name, const std::string& value) { add(text, name, value); });
    each_flag(intent, [&](const char* name, bool value) { add(text, name, value ? "1" : "0"); });
    add(text, "step", std::to_string(static_cast<int>(intent.step)));
    add(text, "changed_at", std::to_string(intent.changed_at));
    add(text, "last_restore", std::to_string(intent.last_restore));
    add(text, "session", std::to_string(intent.session));
    return text;
}

std::optional<Intent> decode_intent(std::string_view bytes) {
    if (!bytes.starts_with(format))
        return std::nullopt;
    const Fields fields = fields_of(bytes.substr(format.size()));
    Intent intent;
    bool is_whole = true;
    const auto take = [&](const char* name) {
        const auto at = fields.find(name);
        is_whole = is_whole && at != fields.end();
        return at == fields.end() ? std::string() : at->second;
    };
    each_text(intent, [&](const char* name, std::string& value) { value = take(name); });
    // A record of an earlier release lacks those that were added since.
    each_flag(intent, [&](const char* name, bool& value) {
        const auto at = fields.find(name);
        value = at != fields.end() && at->second == "1";
    });
    std::int64_t step = 0;
    is_whole = read_number(take("step"), step) &&
               read_number(take("changed_at"), intent.changed_at) &&
               read_number(take("last_restore"), intent.last_restore) &&
               read_number(take("session"), intent.session) && is_whole && step >= 0 &&
               step <= static_cast<int>(RestoreStep::put_back);
    if (!is_whole)
        return std::nullopt;
    intent.step = static_cast<RestoreStep>(step);
    return intent;
}

std::vector<std::string> RestoreJournal::names(const char* list) {
    std::vector<std::string> names;
    const std::string text = host_.kv_get(list).value_or("");
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        names.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return names;
}

namespace {

std::optional<std::string> joined(const std::vector<std::string>& names) {
    if (names.empty())
        return std::nullopt;
    std::string text;
    for (const std::string& name : names)
        text += name + '\n';
    return text;
}

std::vector<std::string> with(std::vector<std::string> names, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
    return names;
}

std::vector<std::string> without(std::vector<std::string> names, const std::string& name) {
    std::erase(names, name);
    return names;
}

} // namespace

const std::string& leftover_name(const Intent& leftover) noexcept {
    return leftover.incoming.empty() ? leftover.outgoing : leftover.incoming;
}

void RestoreJournal::put(const Intent& intent) {
    const std::lock_guard lock(mutex_);
    const std::string name = value_name(intent.key);
    host_.kv_put({{name, encode(intent)}, {list_name, joined(with(names(list_name), name))}});
}

void RestoreJournal::remove(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const std::string name = value_name(key);
    std::vector<std::string> all = names(list_name);
    if (std::erase(all, name) == 0)
        return;
    host_.kv_put({{name, std::nullopt}, {list_name, joined(all)}});
}

void RestoreJournal::set_aside(const Intent& leftover) {
    const std::lock_guard lock(mutex_);
    const std::string name = value_name(leftover.key);
    const std::string left = leftover_value(leftover);
    host_.kv_put({{name, std::nullopt},
                  {list_name, joined(without(names(list_name), name))},
                  {left, encode(leftover)},
                  {leftover_list, joined(with(names(leftover_list), left))}});
}

void RestoreJournal::put_leftover(const Intent& leftover) {
    const std::lock_guard lock(mutex_);
    const std::string left = leftover_value(leftover);
    host_.kv_put(
        {{left, encode(leftover)}, {leftover_list, joined(with(names(leftover_list), left))}});
}

void RestoreJournal::forget(const Intent& leftover) {
    const std::lock_guard lock(mutex_);
    const std::string left = leftover_value(leftover);
    host_.kv_put(
        {{left, std::nullopt}, {leftover_list, joined(without(names(leftover_list), left))}});
}

void RestoreJournal::move_leftovers(const std::string& key, const std::string& primary) {
    for (Intent& each : leftovers()) {
        if (each.key != key || each.primary == primary)
            continue;
        each.primary = primary;
        const std::lock_guard lock(mutex_);
        host_.kv_put({{leftover_value(each), encode(each)}});
    }
}

std::optional<Intent> RestoreJournal::find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto bytes = host_.kv_get(value_name(key));
    return bytes ? decode_intent(*bytes) : std::nullopt;
}

bool RestoreJournal::has_open() {
    const std::lock_guard lock(mutex_);
    return !names(list_name).empty();
}

std::vector<Intent> RestoreJournal::read_all(const char* list) {
    const std::lock_guard lock(mutex_);
    std::vector<Intent> intents;
    for (const std::string& name : names(list)) {
        const auto bytes = host_.kv_get(name);
        auto intent = bytes ? decode_intent(*bytes) : std::nullopt;
        if (intent) {
            intents.push_back(*std::move(intent));
            continue;
        }
        // Kept for people. As long as it counted as open, nothing else would be tidied up.
        host_.kv_put({{name, std::nullopt},
                      {"unreadable:" + name, bytes},
                      {list, joined(without(names(list), name))}});
        host_.log(STSYNC_LOG_ERROR, "sqlserver.journal", "",
                  "A record of a restore that was not finished cannot be read and is put aside: "
                  "look for databases called ~syncin_… and ~syncold_…, and for one in the state "
                  "RESTORING, in SQL Server.");
    }
    return intents;
}

std::vector<Intent> RestoreJournal::open_intents() {
    return read_all(list_name);
}

std::vector<Intent> RestoreJournal::leftovers() {
    return read_all(leftover_list);
}

} // namespace stationsync::sqlserver
