#include "packages/transfer_messages.hpp"

#include "base/byte_stream.hpp"
#include "base/path_text.hpp"
#include "packages/package_description.hpp"

#include <algorithm>

namespace stationsync::host {
namespace {

enum class Type : std::uint8_t {
    open = 1,
    opened = 2,
    have = 3,
    manifest_request = 4,
    manifest = 5,
    block_request = 6,
    pages_request = 7,
    block = 8,
    cannot = 9,
    close = 10,
};

constexpr std::size_t pages_max = package_block_bytes_max / page_bytes;

void write_ref(ByteWriter& writer, const PackageRef& package) {
    writer.bytes(std::as_bytes(std::span(package.digest.bytes)));
    writer.u64(package.bytes);
}

PackageRef read_ref(ByteReader& reader) {
    PackageRef package;
    reader.bytes(std::as_writable_bytes(std::span(package.digest.bytes)));
    package.bytes = reader.u64();
    return package;
}

void write_runs(ByteWriter& writer, const std::vector<BlockRun>& runs) {
    writer.u32(static_cast<std::uint32_t>(runs.size()));
    for (const BlockRun& run : runs) {
        writer.u32(run.first);
        writer.u32(run.count);
    }
}

bool is_sane(const BlockRun& run) noexcept {
    return run.count > 0 && run.first < block_count_max && run.count <= block_count_max - run.first;
}

bool read_runs(ByteReader& reader, std::vector<BlockRun>& runs) {
    const std::uint32_t count = reader.u32();
    if (count > runs_max) {
        return false;
    }
    std::uint32_t end = 0;
    for (std::uint32_t index = 0; index < count && reader.ok(); ++index) {
        const std::uint32_t first = reader.u32();
        const BlockRun run{first, reader.u32()};
        // Rising and disjoint, so that no message names more blocks than there are.
        if (!is_sane(run) || run.first < end) {
            return false;
        }
        end = run.first + run.count;
        runs.push_back(run);
    }
    return reader.ok();
}

struct Writer {
    ByteWriter& out;

    Type operator()(const OpenMessage& message) {
        out.short_text(message.object.provider);
        out.long_text(message.object.key);
        write_ref(out, message.package);
        const std::size_t count = std::min(message.bases.size(), bases_max);
        out.u8(static_cast<std::uint8_t>(count));
        for (std::size_t index = 0; index < count; ++index) {
            write_ref(out, message.bases[index]);
        }
        return Type::open;
    }
    Type operator()(const OpenedMessage& message) {
        out.u8(message.complete ? 1 : 0);
        out.u8(message.bases_known);
        write_runs(out, message.runs);
        return Type::opened;
    }
    Type operator()(const HaveMessage& message) {
        write_runs(out, message.runs);
        return Type::have;
    }
    Type operator()(const ManifestRequestMessage& message) {
        out.u32(message.range.first);
        out.u32(message.range.count);
        out.u8(message.base);
        return Type::manifest_request;
    }
    Type operator()(const ManifestMessage& message) {
        out.u32(message.range.first);
        out.u32(message.range.count);
        out.u8(message.same_as_base.empty() ? 0 : 1);
        std::uint8_t bits = 0;
        for (std::size_t index = 0; index < message.same_as_base.size(); ++index) {
            bits |= static_cast<std::uint8_t>((message.same_as_base[index] != 0 ? 1U : 0U)
                                              << (index % 8));
            if (index % 8 == 7 || index + 1 == message.same_as_base.size()) {
                out.u8(bits);
                bits = 0;
            }
        }
        out.bytes(std::as_bytes(std::span(message.hashes)));
        return Type::manifest;
    }
    Type operator()(const BlockRequestMessage& message) {
        out.u8(message.base);
        write_runs(out, message.runs);
        return Type::block_request;
    }
    Type operator()(const PagesRequestMessage& message) {
        out.u32(message.block);
        out.bytes(std::as_bytes(std::span(message.old_pages)));
        return Type::pages_request;
    }
    Type operator()(const BlockMessage& message) {
        out.u32(message.block);
        out.u8(static_cast<std::uint8_t>(message.encoding));
        out.bytes(message.payload);
        return Type::block;
    }
    Type operator()(const CannotMessage& message) {
        out.u8(static_cast<std::uint8_t>(message.reason));
        out.long_text(utf8_prefix(message.text, cannot_text_bytes_max));
        return Type::cannot;
    }
    Type operator()(const CloseMessage&) { return Type::close; }
};

std::optional<TransferMessage> read_open(ChannelId channel, ByteReader& reader) {
    OpenMessage message{channel, {}, {}, {}};
    message.object.provider = reader.short_text();
    message.object.key = reader.long_text(key_bytes_max);
    message.package = read_ref(reader);
    const std::uint8_t count = reader.u8();
    if (count > bases_max) {
        return std::nullopt;
    }
    for (std::uint8_t index = 0; index < count; ++index) {
        message.bases.push_back(read_ref(reader));
    }
    if (!is_valid_utf8(message.object.provider) || !is_valid_utf8(message.object.key)) {
        return std::nullopt;
    }
    return message;
}

std::optional<TransferMessage> read_manifest(ChannelId channel, ByteReader& reader) {
    ManifestMessage message{channel, {}, {}, {}};
    message.range.first = reader.u32();
    message.range.count = reader.u32();
    const std::uint8_t form = reader.u8();
    if (!is_sane(message.range) || message.range.count > manifest_range_max || form > 1) {
        return std::nullopt;
    }
    std::size_t own = message.range.count;
    if (form == 1) {
        const auto bits = reader.view((message.range.count + 7) / 8);
        if (bits.empty()) {
            return std::nullopt;
        }
        message.same_as_base.resize(message.range.count);
        for (std::size_t index = 0; index < message.range.count; ++index) {
            const bool same = (bits[index / 8] & (std::byte{1} << (index % 8))) != std::byte{0};
            message.same_as_base[index] = same ? 1 : 0;
            own -= same ? 1U : 0U;
        }
    }
    const auto hashes = reader.rest();
    if (hashes.size() != own * sizeof(BlockHash)) {
        return std::nullopt;
    }
    message.hashes.resize(own);
    std::ranges::copy(hashes, std::as_writable_bytes(std::span(message.hashes)).begin());
    return message;
}

std::optional<TransferMessage> read_pages(ChannelId channel, ByteReader& reader) {
    PagesRequestMessage message{channel, reader.u32(), {}};
    const auto hashes = reader.rest();
    if (hashes.size() % sizeof(PageHash) != 0 || hashes.size() / sizeof(PageHash) > pages_max) {
        return std::nullopt;
    }
    message.old_pages.resize(hashes.size() / sizeof(PageHash));
    std::ranges::copy(hashes, std::as_writable_bytes(std::span(message.old_pages)).begin());
    return message;
}

std::optional<TransferMessage> read_block(ChannelId channel, ByteReader& reader) {
    BlockMessage message{channel, reader.u32(), BlockEncoding::raw, {}};
    const std::uint8_t encoding = reader.u8();
    const auto payload = reader.rest();
    if (encoding > static_cast<std::uint8_t>(BlockEncoding::zeros) ||
        payload.size() > package_block_bytes_max) {
        return std::nullopt;
    }
    message.encoding = static_cast<BlockEncoding>(encoding);
    message.payload.assign(payload.begin(), payload.end());
    return message;
}

std::optional<TransferMessage> read_cannot(ChannelId channel, ByteReader& reader) {
    CannotMessage message{channel, CannotReason::failed, {}};
    const std::uint8_t reason = reader.u8();
    message.text = reader.long_text(cannot_text_bytes_max);
    if (!is_valid_utf8(message.text)) {
        return std::nullopt;
    }
    // A reason that a later version adds is a failure like any other.
    if (reason >= 1 && reason <= static_cast<std::uint8_t>(CannotReason::lost)) {
        message.reason = static_cast<CannotReason>(reason);
    }
    return message;
}

std::optional<TransferMessage> read_body(Type type, ChannelId channel, ByteReader& reader) {
    switch (type) {
    case Type::open:
        return read_open(channel, reader);
    case Type::opened: {
        OpenedMessage message{channel, reader.u8() != 0, 0, {}};
        message.bases_known = reader.u8();
        return read_runs(reader, message.runs) ? std::optional<TransferMessage>(message)
                                               : std::nullopt;
    }
    case Type::have: {
        HaveMessage message{channel, {}};
        return read_runs(reader, message.runs) ? std::optional<TransferMessage>(message)
                                               : std::nullopt;
    }
    case Type::manifest_request: {
        ManifestRequestMessage message{channel, {}, no_base};
        message.range.first = reader.u32();
        message.range.count = reader.u32();
        message.base = reader.u8();
        return is_sane(message.range) && message.range.count <= manifest_range_max
                   ? std::optional<TransferMessage>(message)
                   : std::nullopt;
    }
    case Type::manifest:
        return read_manifest(channel, reader);
    case Type::block_request: {
        BlockRequestMessage message{channel, reader.u8(), {}};
        return read_runs(reader, message.runs) ? std::optional<TransferMessage>(message)
                                               : std::nullopt;
    }
    case Type::pages_request:
        return read_pages(channel, reader);
    case Type::block:
        return read_block(channel, reader);
    case Type::cannot:
        return read_cannot(channel, reader);
    case Type::close:
        return CloseMessage{channel};
    }
    return std::nullopt;
}

} // namespace

void append(std::vector<std::byte>& frame, const TransferMessage& message) {
    ByteWriter body;
    body.u32(std::visit([](const auto& any) { return any.channel; }, message));
    const Type type = std::visit(Writer{body}, message);
    const std::vector<std::byte> bytes = body.take();
    ByteWriter head;
    head.u8(static_cast<std::uint8_t>(type));
    head.u32(static_cast<std::uint32_t>(bytes.size()));
    const std::vector<std::byte> head_bytes = head.take();
    frame.insert(frame.end(), head_bytes.begin(), head_bytes.end());
    frame.insert(frame.end(), bytes.begin(), bytes.end());
}

std::optional<TransferMessage> next_message(std::span<const std::byte>& frame) {
    ByteReader head(frame);
    const auto type = static_cast<Type>(head.u8());
    const std::uint32_t length = head.u32();
    if (!head.ok() || length > frame.size() - message_head_bytes) {
        return std::nullopt;
    }
    ByteReader body(frame.subspan(message_head_bytes, length));
    frame = frame.subspan(message_head_bytes + length);
    const ChannelId channel = body.u32();
    if (!body.ok()) {
        return std::nullopt;
    }
    auto message = read_body(type, channel, body);
    // Bytes after the fields that this version knows are refused: both sides speak the same
    // version.
    return message && body.at_end() ? message : std::nullopt;
}

} // namespace stationsync::host
