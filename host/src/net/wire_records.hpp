// The parts that messages and stored revisions share, to protobuf and back. Included by the codec's
// .cpp files only.
#pragma once

#include "net/codec.hpp"

#include "messages.pb.h"

#include <string>
#include <string_view>

namespace stationsync::host::wire_code {

// Collects the first problem of one message; after it, what was read is not used.
class Checks {
public:
    void fail(std::string_view what);
    void require(bool holds, std::string_view what) {
        if (!holds) {
            fail(what);
        }
    }
    [[nodiscard]] bool ok() const noexcept { return problem_.empty(); }
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

    // Valid UTF-8 of at most `bytes_max` bytes without NUL; longer text is refused, not cut.
    std::string text(const std::string& value, std::size_t bytes_max, std::string_view what);
    std::string provider(const std::string& value);
    std::string verdict_subject(const std::string& value);
    core::WallTime time(std::int64_t us, std::string_view what);
    core::Duration duration(std::uint64_t us, std::string_view what);
    std::uint64_t number(std::uint64_t value, std::string_view what);
    template <class Repeated>
    bool count(const Repeated& values, int count_max, std::string_view what) {
        require(values.size() <= count_max, what);
        return ok();
    }

private:
    std::string problem_;
};

void write(const core::StationId& id, std::string& out);
void write(const core::AuthorId& author, wire::Author& out);
void write(const core::RevisionId& name, wire::RevisionName& out);
void write(const core::Stamp& stamp, wire::Stamp& out);
void write(const core::ObjectId& object, wire::Object& out);
void write(const core::PackageInfo& package, wire::Package& out);
void write(const core::Token& token, wire::Token& out);
void write(const core::Revision& revision, bool with_object, wire::Revision& out);

core::StationId read_station(const std::string& in, Checks& checks);
core::AuthorId read(const wire::Author& in, Checks& checks);
// An absent one is the empty name.
core::RevisionId read(const wire::RevisionName& in, Checks& checks);
// Where none is no answer.
core::RevisionId read_named(const wire::RevisionName& in, Checks& checks);
core::Stamp read(const wire::Stamp& in, Checks& checks);
core::ObjectId read(const wire::Object& in, Checks& checks);
core::PackageInfo read(const wire::Package& in, Checks& checks);
core::Token read(const wire::Token& in, Checks& checks);
core::Revision read(const wire::Revision& in, core::ObjectId object, Checks& checks);

} // namespace stationsync::host::wire_code
