#include "stationsync/core/operator_message.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace stationsync::core {
namespace {

using enum Severity;
using enum MessageLife;

constexpr std::array catalogue{
    MessageKind{"apply-failed", warning, condition,
                "'{key}' could not be brought up to date: {text}", "It is tried again by itself."},
    MessageKind{"case-twin", warning, condition, "'{key}' {text}",
                "Rename one of the two files on the station where it was made."},
    MessageKind{
        "clock-step", warning, event,
        "The clock of this computer was set by {step}; synchronization has started anew, and "
        "nothing was taken for a change.",
        "If nobody has set it on purpose, look at the time server of this computer."},
    MessageKind{
        "conflict", warning, standing,
        "'{key}' was changed on {winner} and on {loser} without knowledge of each other; the "
        "later change, of {winner}, is in use.",
        "The other state is in the history: stationsync history \"{object}\""},
    MessageKind{"discovery", warning, condition, "{text}",
                "Mend the cause; it is tried again by itself."},
    MessageKind{"discovery-missing", error, condition,
                "no discovery plugin '{plugin}' is installed",
                "Correct 'plugin' of [discovery.{name}]."},
    MessageKind{"established", info, event,
                "This station now takes full part in '{provider}': {text}.", ""},
    MessageKind{"hold-ended", info, event,
                "'{provider}' is released {how}: what waited may be brought in. It was held since "
                "{since}.",
                ""},
    MessageKind{
        "key-not-saved", error, condition, "The new project key cannot be stored: {text}",
        "Make room on the disk of the service's state; it is stored by itself. Until then a "
        "restart of the service falls back to the old key."},
    MessageKind{"listen-failed", error, condition, "{text}",
                "Free the port or set another one: [net] listen in station.toml."},
    MessageKind{"loser-deleted", warning, event,
                "A replaced state of '{key}' was deleted early, because the history is full.",
                "Give the history more room: [history] size_max in station.toml."},
    MessageKind{
        "new-identity", info, event,
        "This station has a new identity. For the other stations it is a newcomer.",
        "Nothing needs to be done; what was changed only here is in the history if it lost."},
    MessageKind{
        "newcomer-replaced", info, event,
        "This station has joined: data that it had made before were replaced by the plant's.",
        "They are in the history: stationsync history; a single one comes back by restore."},
    MessageKind{"no-space-export", error, condition,
                "The disk of the sync directory is full: changes of this station wait.",
                "Make room there; it goes on by itself."},
    MessageKind{"no-space-history", error, condition,
                "The disk of the history is full: nothing is replaced meanwhile.",
                "Make room there; it goes on by itself."},
    MessageKind{"no-space-sync", error, condition,
                "The disk of the sync directory is full: changes wait.",
                "Make room on the disk of the sync directory; it goes on by itself."},
    MessageKind{"no-space-target", error, condition,
                "The disk of the synchronized data is full: changes wait.",
                "Make room there; it goes on by itself."},
    MessageKind{"not-readable", warning, condition, "{text}",
                "Mend the cause; it is looked at again by itself."},
    MessageKind{
        "product-version", warning, condition,
        "The version of the plant software cannot be read: {text}. The last known one counts, "
        "{version}.",
        "Correct product_version_file or product_version_command in the project file, or wait "
        "for the end of the update."},
    MessageKind{"provider-fault", error, condition, "{text}", "{remedy}"},
    MessageKind{"provider-held", warning, standing,
                "'{provider}' is held on this station since {since}{until}: new states are fetched "
                "and wait.",
                "To bring them in: stationsync release {provider}"},
    MessageKind{"provider-skipped", warning, condition, "{text}.", "{remedy}"},
    MessageKind{"restored-old", warning, standing,
                "'{key}' was restored to an older state; the plant's state is put back.",
                "To distribute the restored state on purpose: stationsync publish \"{object}\""},
    MessageKind{
        "state-damaged", warning, event,
        "The state database was damaged and was moved aside to {file}; the station joins again "
        "as a newcomer.",
        "Orders to hold a provider are lost with it: give them again where they still count. "
        "Nothing else needs to be done; keep the file if you want it looked into."},
    MessageKind{"state-not-writable", error, condition, "{text}",
                "Make room on the disk of {folder}; nothing is lost, synchronization goes on by "
                "itself."},
    MessageKind{
        "state-older-than-plant", warning, event,
        "The other stations know changes of this station that its own state database does not: "
        "the database was put back or copied. The station goes on as a newcomer.",
        "Nothing needs to be done; what was changed here since is in the history if it lost."},
    MessageKind{
        "station-clone", error, condition,
        "Two computers run with the identity of station \"{station}\": the disk of one is a "
        "copy. While both are reachable, neither exchanges data.",
        "On the copy, run: stationsync station new-identity"},
    MessageKind{"station-rejected", error, condition,
                "No data is exchanged with station \"{station}\". {text}.", "{remedy}"},
    MessageKind{
        "station-wrong-key", warning, condition, "{text}",
        "If it belongs to this project, take a new join code there (stationsync invite); else "
        "remove it from the station list."},
};

static_assert(std::ranges::is_sorted(catalogue, {}, &MessageKind::id));

} // namespace

std::span<const MessageKind> message_catalogue() {
    return catalogue;
}

const MessageKind* find_message_kind(std::string_view id) {
    const auto place = std::ranges::lower_bound(catalogue, id, {}, &MessageKind::id);
    return place == catalogue.end() || place->id != id ? nullptr : &*place;
}

std::string fill_in(std::string_view sentence, const MessageValues& values) {
    std::string text;
    while (true) {
        const auto open = sentence.find('{');
        const auto close = sentence.find('}', open);
        if (open == std::string_view::npos || close == std::string_view::npos)
            break;
        text += sentence.substr(0, open);
        const auto value = values.find(std::string(sentence.substr(open + 1, close - open - 1)));
        if (value != values.end())
            text += value->second;
        sentence.remove_prefix(close + 1);
    }
    text += sentence;
    return text;
}

RaiseMessage make_message(std::string_view id, std::string subject, MessageValues values) {
    const MessageKind* const kind = find_message_kind(id);
    if (kind == nullptr)
        throw std::logic_error("the catalogue has no message " + std::string(id));
    return {std::string(id),
            kind->severity,
            std::move(subject),
            fill_in(kind->sentence, values),
            fill_in(kind->remedy, values),
            std::move(values)};
}

} // namespace stationsync::core
