#include "record.hpp"

#include "row_hash.hpp"

#include <algorithm>
#include <cstring>

namespace stationsync::sqlite {

namespace {

constexpr std::size_t past_states_max = 32;
constexpr std::size_t applied_max = 8;
constexpr std::string_view format = "sqlite-record-2";
// Differences between the clock of the file system and that of the station.
constexpr stsync_time time_tolerance = 2'000'000;
constexpr stsync_time future_tolerance = 60'000'000;

// The file was put in the place of the other, or written over, and is older by its own counting;
// alone it could also be a database that an application makes anew, so one more sign is wanted.
bool is_put_back(const Record& record, const Content& content, const Evidence& evidence) {
    if (!record.is_exact || record.evidence.counters.empty() || evidence.counters.empty())
        return false;
    const bool is_other_file = !evidence.database.is_same_file(record.evidence.database);
    const bool counts_less = evidence.change_counter() < record.evidence.change_counter();
    const bool was_here_before =
        std::any_of(record.past.begin(), record.past.end(),
                    [&](const Record::Past& past) { return past.digest == content.digest; });
    return (is_other_file && counts_less) || (was_here_before && (is_other_file || counts_less));
}

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    bool is_good() const noexcept { return is_good_; }
    bool is_at_end() const noexcept { return bytes_.empty(); }

    std::string_view take(std::size_t count) {
        if (bytes_.size() < count) {
            is_good_ = false;
            bytes_ = {};
            return {};
        }
        const std::string_view taken = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return taken;
    }
    std::uint64_t number() {
        std::uint64_t value = 0;
        for (const char byte : take(8))
            value = value << 8 | static_cast<unsigned char>(byte);
        return value;
    }
    std::int64_t time() { return static_cast<std::int64_t>(number()); }
    std::string text() { return std::string(take(number())); }
    template <std::size_t count>
    std::array<std::uint8_t, count> bytes() {
        std::array<std::uint8_t, count> value{};
        const std::string_view taken = take(count);
        std::memcpy(value.data(), taken.data(), taken.size());
        return value;
    }

private:
    std::string_view bytes_;
    bool is_good_ = true;
};

void append_time(std::string& bytes, stsync_time time) {
    append_number(bytes, static_cast<std::uint64_t>(time));
}

template <std::size_t count>
void append_bytes(std::string& bytes, const std::array<std::uint8_t, count>& value) {
    bytes.append(reinterpret_cast<const char*>(value.data()), value.size());
}

void append_stamp(std::string& bytes, const FileStamp& stamp) {
    append_number(bytes, (stamp.is_present ? 1u : 0u) | (stamp.is_regular ? 2u : 0u));
    append_number(bytes, stamp.volume);
    append_number(bytes, stamp.file);
    append_number(bytes, stamp.size);
    append_time(bytes, stamp.modified_ns);
    append_time(bytes, stamp.changed_ns);
}

FileStamp read_stamp(Reader& reader) {
    FileStamp stamp;
    const std::uint64_t flags = reader.number();
    stamp.is_present = (flags & 1) != 0;
    stamp.is_regular = (flags & 2) != 0;
    stamp.volume = reader.number();
    stamp.file = reader.number();
    stamp.size = reader.number();
    stamp.modified_ns = reader.time();
    stamp.changed_ns = reader.time();
    return stamp;
}

} // namespace

sdk::Mark mark_of(const sdk::Digest& digest) {
    // The leading number leaves room for another way of naming states.
    std::string bytes(1, '\1');
    bytes.append(reinterpret_cast<const char*>(digest.data()), digest.size());
    return sdk::Mark(bytes);
}

sdk::Mark Record::mark() const {
    return mark_of(content.digest);
}

const Record::Applied* Record::find_applied(const stsync_apply_id& id) const noexcept {
    for (const Applied& entry : applied)
        if (std::memcmp(entry.id.data(), id.bytes, entry.id.size()) == 0)
            return &entry;
    return nullptr;
}

void Record::remember_applied(const stsync_apply_id& id, const sdk::Digest& digest) {
    Applied entry{{}, digest};
    std::memcpy(entry.id.data(), id.bytes, entry.id.size());
    applied.push_back(entry);
    if (applied.size() > applied_max)
        applied.pop_front();
}

void Record::take(const Content& content_now, const Evidence& evidence_now, bool is_exact_now,
                  stsync_time now) {
    const bool is_first = unchanged_at == STSYNC_TIME_NONE && changed_at == STSYNC_TIME_NONE;
    if (is_first || content_now.digest != content.digest) {
        flags = 0;
        if (!is_first) {
            if (is_put_back(*this, content_now, evidence_now))
                flags |= STSYNC_OBJECT_RESTORED;
            past.push_back({content.digest, evidence.change_counter()});
            if (past.size() > past_states_max)
                past.pop_front();
        }
        changed_at = evidence_now.written_at();
        changed_not_before = unchanged_at;
        // A file older than the last look at the state before it was brought from elsewhere: its
        // time says when the content arose, not when it came here.
        if (unchanged_at != STSYNC_TIME_NONE && changed_at < unchanged_at - time_tolerance)
            changed_not_before = STSYNC_TIME_NONE;
        else if (changed_not_before != STSYNC_TIME_NONE && changed_not_before > changed_at)
            changed_not_before = changed_at;
        const bool is_from_the_future =
            now != STSYNC_TIME_NONE && changed_at > now + future_tolerance;
        const bool is_from_elsewhere = changed_not_before == STSYNC_TIME_NONE;
        // People change rows; tables are changed by an update of the product, on every station by
        // itself and whenever it is started. An edit that somebody made wins over that.
        const bool is_conversion =
            !is_first && !is_from_elsewhere && content_now.schema != content.schema;
        if (is_from_the_future || (is_conversion && (flags & STSYNC_OBJECT_RESTORED) == 0))
            flags |= STSYNC_OBJECT_TIME_UNCERTAIN;
    }
    content = content_now;
    evidence = evidence_now;
    is_exact = is_exact_now;
    is_settled = false;
    unchanged_at = now;
    seen_at = std::chrono::steady_clock::now();
}

std::string encode(const Record& record) {
    std::string bytes;
    append_text(bytes, format);
    append_text(bytes, record.path);
    append_number(bytes, record.folder_volume);
    append_stamp(bytes, record.evidence.database);
    append_stamp(bytes, record.evidence.log);
    append_text(bytes, record.evidence.counters);
    append_number(bytes, (record.is_exact ? 1u : 0u) | (record.is_settled ? 2u : 0u) |
                             (record.is_read_only ? 4u : 0u));
    append_bytes(bytes, record.content.digest);
    append_number(bytes, record.content.byte_count);
    append_bytes(bytes, record.content.schema);
    for (const stsync_time time :
         {record.changed_at, record.changed_not_before, record.unchanged_at})
        append_time(bytes, time);
    append_number(bytes, record.flags);
    append_number(bytes, record.past.size());
    for (const Record::Past& past : record.past) {
        append_bytes(bytes, past.digest);
        append_number(bytes, past.change_counter);
    }
    append_number(bytes, record.applied.size());
    for (const Record::Applied& applied : record.applied) {
        append_bytes(bytes, applied.id);
        append_bytes(bytes, applied.digest);
    }
    return bytes;
}

std::optional<Record> decode(std::string_view bytes) {
    Reader reader(bytes);
    if (reader.text() != format)
        return std::nullopt;
    Record record;
    record.path = reader.text();
    record.folder_volume = reader.number();
    record.evidence.database = read_stamp(reader);
    record.evidence.log = read_stamp(reader);
    record.evidence.counters = reader.text();
    const std::uint64_t bits = reader.number();
    record.is_exact = (bits & 1) != 0;
    record.is_settled = (bits & 2) != 0;
    record.is_read_only = (bits & 4) != 0;
    record.content.digest = reader.bytes<32>();
    record.content.byte_count = reader.number();
    record.content.schema = reader.bytes<32>();
    record.changed_at = reader.time();
    record.changed_not_before = reader.time();
    record.unchanged_at = reader.time();
    record.flags = static_cast<std::uint32_t>(reader.number());
    for (auto left = std::min<std::uint64_t>(reader.number(), past_states_max); left > 0; --left) {
        const auto digest = reader.bytes<32>();
        record.past.push_back({digest, static_cast<std::uint32_t>(reader.number())});
    }
    for (auto left = std::min<std::uint64_t>(reader.number(), applied_max); left > 0; --left) {
        const auto id = reader.bytes<16>();
        record.applied.push_back({id, reader.bytes<32>()});
    }
    if (!reader.is_good() || !reader.is_at_end())
        return std::nullopt;
    record.seen_at = std::chrono::steady_clock::now();
    record.stored_unchanged_at = record.unchanged_at;
    return record;
}

} // namespace stationsync::sqlite
