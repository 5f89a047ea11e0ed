// Outcome of reading what a person or a peer gave: the value, or one sentence that says why not.
#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace stationsync::host {

struct BadInput {
    std::string text; // one sentence, UTF-8, without secrets
};

template <class T>
using Checked = boost::system::result<T, BadInput>;

} // namespace stationsync::host
