#include "parser.hpp"

#include "parse_number.hpp"

#include <stationsync/text.hpp>

#include <expat.h>

#include <algorithm>
#include <exception>
#include <memory>

namespace stationsync::discovery_wsd {

namespace {

constexpr char separator = '\x1f'; // of namespace and local name; cannot stand in XML
constexpr std::string_view blanks = " \t\r\n";

// What an element is for us, given by its name and where it stands.
enum class Role : std::uint8_t {
    ignored, // with all that it contains
    envelope,
    header,
    body,
    action,
    message_id,
    relates_to,
    content, // Hello, Probe, …
    match,   // one of several
    reference,
    address,
    types,
    scopes,
    x_addresses,
    metadata_version,
};

bool is_text(Role role) noexcept {
    return role == Role::action || role == Role::message_id || role == Role::relates_to ||
           role == Role::address || role == Role::types || role == Role::scopes ||
           role == Role::x_addresses || role == Role::metadata_version;
}

struct Name {
    std::string_view space;
    std::string_view local;
};

Name name_of(const char* text) noexcept {
    const std::string_view whole(text);
    const std::size_t at = whole.find(separator);
    if (at == std::string_view::npos)
        return {{}, whole};
    return {whole.substr(0, at), whole.substr(at + 1)};
}

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_addressing(std::string_view space) noexcept {
    return space == names_of(Version::draft_2005).addressing ||
           space == names_of(Version::oasis_2009).addressing;
}

std::optional<Version> version_of(std::string_view space) noexcept {
    for (const Version version : all_versions)
        if (space == names_of(version).discovery)
            return version;
    return std::nullopt;
}

std::optional<Kind> kind_of(std::string_view local) noexcept {
    for (const Kind kind : {Kind::hello, Kind::bye, Kind::probe, Kind::probe_matches, Kind::resolve,
                            Kind::resolve_matches})
        if (local == to_text(kind))
            return kind;
    return std::nullopt;
}

class Reader {
public:
    explicit Reader(XML_Parser parser) : parser_(parser) {
        XML_SetUserData(parser, this);
        XML_SetElementHandler(parser, &on_start, &on_end);
        XML_SetCharacterDataHandler(parser, &on_text);
        XML_SetNamespaceDeclHandler(parser, &on_declare, &on_undeclare);
        XML_SetStartDoctypeDeclHandler(parser, &on_doctype);
        XML_SetProcessingInstructionHandler(parser, &on_instruction);
        XML_SetXmlDeclHandler(parser, &on_declaration);
    }

    std::variant<Message, DropReason> read(std::string_view bytes) {
        const auto status =
            XML_Parse(parser_, bytes.data(), static_cast<int>(bytes.size()), XML_TRUE);
        if (failure_)
            std::rethrow_exception(failure_);
        if (reason_)
            return *reason_;
        if (status != XML_STATUS_OK)
            return DropReason::not_well_formed;
        return finished();
    }

private:
    static Reader& self(void* context) noexcept { return *static_cast<Reader*>(context); }

    // Nothing may be thrown through expat.
    template <class Body>
    void guarded(Body&& body) noexcept {
        if (reason_ || failure_)
            return;
        try {
            body();
        } catch (...) {
            failure_ = std::current_exception();
            XML_StopParser(parser_, XML_FALSE);
        }
    }

    void refuse(DropReason reason) {
        if (!reason_)
            reason_ = reason;
        XML_StopParser(parser_, XML_FALSE);
    }

    static void XMLCALL on_start(void* context, const XML_Char* name,
                                 const XML_Char** attributes) noexcept {
        self(context).guarded([&] { self(context).start(name_of(name), attributes); });
    }
    static void XMLCALL on_end(void* context, const XML_Char*) noexcept {
        self(context).guarded([&] { self(context).end(); });
    }
    static void XMLCALL on_text(void* context, const XML_Char* text, int count) noexcept {
        self(context).guarded([&] {
            self(context).add_text({text, static_cast<std::size_t>(count)});
        });
    }
    static void XMLCALL on_declare(void* context, const XML_Char* prefix,
                                   const XML_Char* space) noexcept {
        self(context).guarded([&] { self(context).declare(prefix, space); });
    }
    static void XMLCALL on_undeclare(void* context, const XML_Char*) noexcept {
        self(context).guarded([&] { self(context).prefixes_.pop_back(); });
    }
    static void XMLCALL on_doctype(void* context, const XML_Char*, const XML_Char*, const XML_Char*,
                                   int) noexcept {
        self(context).guarded([&] { self(context).refuse(DropReason::forbidden_xml); });
    }
    static void XMLCALL on_instruction(void* context, const XML_Char*, const XML_Char*) noexcept {
        self(context).guarded([&] { self(context).refuse(DropReason::forbidden_xml); });
    }
    static void XMLCALL on_declaration(void* context, const XML_Char*, const XML_Char* encoding,
                                       int) noexcept {
        self(context).guarded([&] { self(context).check_encoding(encoding); });
    }

    void check_encoding(const char* encoding) {
        std::string text = encoding != nullptr ? encoding : "utf-8";
        std::transform(text.begin(), text.end(), text.begin(), [](char byte) {
            return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
        });
        if (text != "utf-8")
            refuse(DropReason::not_utf8);
    }

    void declare(const char* prefix, const char* space) {
        if (++declared_ > attributes_max)
            return refuse(DropReason::xml_limit);
        prefixes_.emplace_back(prefix != nullptr ? prefix : "", space != nullptr ? space : "");
    }

    void start(const Name& name, const char** attributes) {
        declared_ = 0;
        std::size_t count = 0;
        while (attributes[2 * count] != nullptr)
            ++count;
        if (++elements_ > elements_max || roles_.size() == depth_max || count > attributes_max)
            return refuse(DropReason::xml_limit);
        const Role parent = roles_.empty() ? Role::ignored : roles_.back();
        const Role role = roles_.empty() ? root(name) : child(parent, name, attributes);
        if (is_text(role))
            text_.clear();
        roles_.push_back(role);
    }

    Role root(const Name& name) {
        if (name.space == soap_namespace && name.local == "Envelope")
            return Role::envelope;
        refuse(DropReason::not_discovery);
        return Role::ignored;
    }

    Role child(Role parent, const Name& name, const char** attributes) {
        switch (parent) {
        case Role::envelope:
            return part(name);
        case Role::header:
            return header(name, attributes);
        case Role::body:
            return content(name);
        case Role::content:
            return is_matches() ? match(name) : field(name, attributes);
        case Role::match:
            return field(name, attributes);
        case Role::reference:
            return is_addressing(name.space) && name.local == "Address" ? Role::address
                                                                        : Role::ignored;
        default:
            return Role::ignored;
        }
    }

    Role part(const Name& name) {
        if (name.space != soap_namespace)
            return Role::ignored;
        if (name.local == "Header")
            return Role::header;
        return name.local == "Body" ? Role::body : Role::ignored;
    }

    Role header(const Name& name, const char** attributes) {
        if (is_addressing(name.space)) {
            if (name.local == "Action")
                return Role::action;
            if (name.local == "MessageID")
                return Role::message_id;
            if (name.local == "RelatesTo")
                return Role::relates_to;
            // Known, and of no effect: whoever sent the datagram gets the answer.
            if (name.local == "To" || name.local == "ReplyTo" || name.local == "From" ||
                name.local == "FaultTo")
                return Role::ignored;
        }
        if (version_of(name.space) && name.local == "AppSequence") {
            read_sequence(attributes);
            return Role::ignored;
        }
        const std::string demand = std::string(soap_namespace) + separator + "mustUnderstand";
        for (std::size_t i = 0; attributes[i] != nullptr; i += 2) {
            const std::string_view value = trimmed(attributes[i + 1]);
            if (attributes[i] == demand && value != "0" && value != "false")
                refuse(DropReason::not_understood);
        }
        return Role::ignored;
    }

    void read_sequence(const char** attributes) {
        std::optional<std::uint32_t> instance;
        std::optional<std::uint32_t> number;
        for (std::size_t i = 0; attributes[i] != nullptr; i += 2) {
            if (std::string_view(attributes[i]) == "InstanceId")
                instance = parse_u32(trimmed(attributes[i + 1]));
            if (std::string_view(attributes[i]) == "MessageNumber")
                number = parse_u32(trimmed(attributes[i + 1]));
        }
        if (!instance || !number)
            return refuse(DropReason::incomplete);
        message_.sequence = AppSequence{*instance, *number};
    }

    Role content(const Name& name) {
        const auto version = version_of(name.space);
        const auto kind = kind_of(name.local);
        if (!version || !kind || has_content_) {
            refuse(DropReason::not_discovery);
            return Role::ignored;
        }
        has_content_ = true;
        message_.version = *version;
        message_.kind = *kind;
        if (!is_matches())
            message_.targets.emplace_back();
        return Role::content;
    }

    [[nodiscard]] bool is_matches() const noexcept {
        return message_.kind == Kind::probe_matches || message_.kind == Kind::resolve_matches;
    }

    Role match(const Name& name) {
        const bool is_probe = message_.kind == Kind::probe_matches;
        if (version_of(name.space) != message_.version ||
            name.local != (is_probe ? "ProbeMatch" : "ResolveMatch"))
            return Role::ignored;
        if (message_.targets.size() == matches_max) {
            refuse(DropReason::xml_limit);
            return Role::ignored;
        }
        message_.targets.emplace_back();
        return Role::match;
    }

    Role field(const Name& name, const char** attributes) {
        if (is_addressing(name.space))
            return name.local == "EndpointReference" ? Role::reference : Role::ignored;
        if (version_of(name.space) != message_.version)
            return Role::ignored;
        if (name.local == "Types")
            return Role::types;
        if (name.local == "XAddrs")
            return Role::x_addresses;
        if (name.local == "MetadataVersion")
            return Role::metadata_version;
        if (name.local != "Scopes")
            return Role::ignored;
        for (std::size_t i = 0; attributes[i] != nullptr; i += 2)
            if (std::string_view(attributes[i]) == "MatchBy")
                message_.targets.back().match_by = trimmed(attributes[i + 1]);
        if (message_.targets.back().match_by.size() > item_bytes_max)
            refuse(DropReason::xml_limit);
        return Role::scopes;
    }

    void add_text(std::string_view text) {
        if (!roles_.empty() && is_text(roles_.back()))
            text_ += text;
    }

    void end() {
        const Role role = roles_.back();
        roles_.pop_back();
        if (is_text(role))
            take_text(role, trimmed(text_));
    }

    void take_text(Role role, std::string_view text) {
        const bool is_list =
            role == Role::types || role == Role::scopes || role == Role::x_addresses;
        if (!is_list && text.size() > item_bytes_max)
            return refuse(DropReason::xml_limit);
        switch (role) {
        case Role::action:
            return take_once(action_, text);
        case Role::message_id:
            if (text.size() > message_id_bytes_max)
                return refuse(DropReason::xml_limit);
            return take_once(message_.message_id, text);
        case Role::relates_to:
            message_.relates_to = text;
            return;
        case Role::address:
            return take_once(message_.targets.back().endpoint, text);
        case Role::types:
            return each_item(text, list_items_max,
                             [this](std::string_view item) { add_type(item); });
        case Role::scopes:
            return each_item(text, list_items_max, [this](std::string_view item) {
                message_.targets.back().scopes.emplace_back(item);
            });
        case Role::x_addresses:
            return each_item(text, addresses_max, [this](std::string_view item) {
                message_.targets.back().addresses.emplace_back(item);
            });
        default:
            break;
        }
        const auto version = parse_u32(trimmed(text));
        if (!version)
            return refuse(DropReason::incomplete);
        message_.targets.back().metadata_version = *version;
    }

    // Twice is as ambiguous as not at all.
    void take_once(std::string& value, std::string_view text) {
        if (!value.empty())
            return refuse(DropReason::incomplete);
        value = text;
    }

    template <class Add>
    void each_item(std::string_view text, std::size_t count_max, Add&& add) {
        for (std::size_t count = 0; !text.empty(); ++count) {
            const std::string_view item = text.substr(0, text.find_first_of(blanks));
            if (count == count_max || item.size() > item_bytes_max)
                return refuse(DropReason::xml_limit);
            add(item);
            text.remove_prefix(item.size());
            text = trimmed(text);
        }
    }

    // The prefix means what it is declared to mean where the element Types stands.
    void add_type(std::string_view item) {
        const std::size_t colon = item.find(':');
        const bool has_prefix = colon != std::string_view::npos;
        const std::string_view prefix = has_prefix ? item.substr(0, colon) : std::string_view{};
        const auto found = std::find_if(prefixes_.rbegin(), prefixes_.rend(),
                                        [&](const auto& each) { return each.first == prefix; });
        if (has_prefix && (found == prefixes_.rend() || found->second.empty()))
            return refuse(DropReason::incomplete);
        QName type;
        if (found != prefixes_.rend())
            type.space = found->second;
        type.local = has_prefix ? item.substr(colon + 1) : item;
        message_.targets.back().types.push_back(std::move(type));
    }

    std::variant<Message, DropReason> finished() {
        if (!has_content_)
            return DropReason::not_discovery;
        const std::string expected = std::string(names_of(message_.version).discovery) + '/' +
                                     std::string(to_text(message_.kind));
        if (action_ != expected || message_.message_id.empty())
            return DropReason::incomplete;
        if (is_matches() && message_.relates_to.empty())
            return DropReason::incomplete;
        for (const Target& target : message_.targets)
            if (message_.kind != Kind::probe && target.endpoint.empty())
                return DropReason::incomplete;
        return std::move(message_);
    }

    XML_Parser parser_;
    Message message_;
    std::string action_;
    std::string text_; // of the innermost element with text
    std::vector<Role> roles_;
    std::vector<std::pair<std::string, std::string>> prefixes_; // innermost last
    std::size_t elements_ = 0;
    std::size_t declared_ = 0; // namespaces of the next element
    bool has_content_ = false;
    std::optional<DropReason> reason_;
    std::exception_ptr failure_;
};

struct Free {
    void operator()(XML_Parser parser) const noexcept { XML_ParserFree(parser); }
};

} // namespace

std::variant<Message, DropReason> parse_message(std::string_view bytes) {
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    const std::string_view start =
        bytes.substr(0, mark.size()) == mark ? bytes.substr(mark.size()) : bytes;
    if (start.empty() || start.front() != '<')
        return start.size() >= 2 && start.find('\0') < 4 ? DropReason::not_utf8
                                                         : DropReason::not_well_formed;
    if (!sdk::is_valid_utf8(bytes))
        return DropReason::not_utf8;
    const std::unique_ptr<XML_ParserStruct, Free> parser(XML_ParserCreateNS("UTF-8", separator));
    if (!parser)
        throw std::bad_alloc();
    Reader reader(parser.get());
    return reader.read(bytes);
}

} // namespace stationsync::discovery_wsd
