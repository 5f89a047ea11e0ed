#include "net/wire_scan.hpp"

#include <cstdint>
#include <optional>

namespace stationsync::host {
namespace {

// Messages of messages.proto that have elements; `leaf` is everything without any.
enum class Node : std::uint8_t {
    leaf,
    name,
    object_holder,
    revision,
    provider_profile,
    profile,
    list_of_leaves,
    set_entry,
    local_package,
    index_entry,
    index_batch,
    introduction,
    introductions,
    kept_answer,
    engine,
    named_package,
};

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order of the table below
struct Field {
    Node parent;
    std::uint32_t number;
    Node child;
};

// Every field of messages.proto that is a message or a repeated text.
constexpr Field fields[] = {
    {Node::name, 1, Node::leaf},          // RevisionName.author
    {Node::object_holder, 1, Node::leaf}, // PendingChange, KeptQuery
    {Node::named_package, 1, Node::leaf}, // PartialPackage
    {Node::named_package, 2, Node::name},
    {Node::named_package, 3, Node::leaf},
    {Node::revision, 1, Node::leaf}, // Revision: object, author, stamp, seen, parent, tokens
    {Node::revision, 2, Node::leaf},
    {Node::revision, 4, Node::leaf},
    {Node::revision, 5, Node::name},
    {Node::revision, 10, Node::name},
    {Node::revision, 12, Node::leaf},
    {Node::provider_profile, 5, Node::leaf}, // tokens
    {Node::profile, 8, Node::provider_profile},
    {Node::profile, 9, Node::leaf},        // addresses
    {Node::list_of_leaves, 1, Node::leaf}, // Verdicts
    {Node::list_of_leaves, 2, Node::leaf}, // Greeting.known
    {Node::list_of_leaves, 4, Node::leaf}, // VerifyReport.different
    {Node::set_entry, 1, Node::revision},
    {Node::local_package, 1, Node::name},
    {Node::local_package, 2, Node::leaf},
    {Node::index_entry, 1, Node::leaf},
    {Node::index_entry, 2, Node::set_entry},
    {Node::index_entry, 3, Node::name},
    {Node::index_entry, 4, Node::local_package},
    {Node::index_entry, 5, Node::name},
    {Node::index_batch, 4, Node::index_entry},
    {Node::index_batch, 6, Node::leaf},  // established
    {Node::introduction, 3, Node::leaf}, // addresses
    {Node::introductions, 1, Node::introduction},
    {Node::kept_answer, 1, Node::leaf},
    {Node::kept_answer, 4, Node::revision},
    {Node::kept_answer, 5, Node::leaf},
    {Node::engine, 1, Node::profile},
    {Node::engine, 2, Node::list_of_leaves},
    {Node::engine, 3, Node::leaf},
    {Node::engine, 4, Node::list_of_leaves},
    {Node::engine, 5, Node::leaf},
    {Node::engine, 6, Node::index_batch},
    {Node::engine, 7, Node::object_holder},
    {Node::engine, 8, Node::named_package},
    {Node::engine, 9, Node::introductions},
    {Node::engine, 10, Node::introductions}, // BlockList: entries with a stamp each, fewer elements
    {Node::engine, 11, Node::object_holder},
    {Node::engine, 12, Node::kept_answer},
    {Node::engine, 13, Node::leaf},
    {Node::engine, 14, Node::list_of_leaves},
    {Node::engine, 15, Node::leaf},
};

std::optional<Node> child_of(Node parent, std::uint64_t number) {
    for (const Field& field : fields) {
        if (field.parent == parent && field.number == number) {
            return field.child;
        }
    }
    return std::nullopt;
}

class Scanner {
public:
    explicit Scanner(std::size_t elements_max) : elements_left_(elements_max) {}

    // The depth is bounded by the schema: leaves are not entered.
    bool scan(std::span<const std::byte> in, Node node) {
        while (!in.empty()) {
            const auto tag = varint(in);
            if (!tag || (*tag >> 3) == 0 || !field(in, node, *tag)) {
                return false;
            }
        }
        return true;
    }

private:
    static std::optional<std::uint64_t> varint(std::span<const std::byte>& in) {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 70 && !in.empty(); shift += 7) {
            const auto byte = std::to_integer<std::uint64_t>(in.front());
            in = in.subspan(1);
            value |= shift < 64 ? (byte & 0x7f) << shift : 0;
            if ((byte & 0x80) == 0) {
                return value;
            }
        }
        return std::nullopt;
    }

    static bool skip(std::span<const std::byte>& in, std::uint64_t count) {
        if (count > in.size()) {
            return false;
        }
        in = in.subspan(static_cast<std::size_t>(count));
        return true;
    }

    bool field(std::span<const std::byte>& in, Node node, std::uint64_t tag) {
        switch (tag & 7) {
        case 0:
            return varint(in).has_value();
        case 1:
            return skip(in, 8);
        case 5:
            return skip(in, 4);
        case 2: {
            const auto length = varint(in);
            if (!length || *length > in.size()) {
                return false;
            }
            const auto content = in.first(static_cast<std::size_t>(*length));
            in = in.subspan(content.size());
            const auto child = child_of(node, tag >> 3);
            if (!child) {
                return true;
            }
            if (elements_left_ == 0) {
                return false;
            }
            --elements_left_;
            return *child == Node::leaf || scan(content, *child);
        }
        default:
            return false; // groups: nobody writes them
        }
    }

    std::size_t elements_left_;
};

} // namespace

bool may_be_parsed(std::span<const std::byte> bytes, WireKind kind) {
    constexpr std::size_t elements_always = 4096;
    constexpr std::size_t bytes_per_element = 12;
    Scanner scanner(elements_always + bytes.size() / bytes_per_element);
    return scanner.scan(bytes, kind == WireKind::revision ? Node::revision : Node::engine);
}

} // namespace stationsync::host
