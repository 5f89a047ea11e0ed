#include "base/worker_pool.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace stationsync::host {

WorkerPool::Poster post_to_io_context(void* io_context) {
    auto* const context = static_cast<boost::asio::io_context*>(io_context);
    return [context](WorkerPool::Task task) { boost::asio::post(*context, std::move(task)); };
}

} // namespace stationsync::host
