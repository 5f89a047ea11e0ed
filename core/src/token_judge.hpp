// Remembers what each provider's plugin said of back-end tokens, and asks once for what is not
// known.
#pragma once

#include "context.hpp"

#include <map>
#include <optional>

namespace stationsync::core {

class TokenJudge {
public:
    struct Verdict {
        bool compatible = true;
        std::string text;
    };

    explicit TokenJudge(Context& context) : context_(context) {}

    // The verdict, or nothing while the plugin is being asked; then on() tells which provider to
    // judge again.
    std::optional<Verdict> ask(const std::string& provider, const std::vector<Token>& tokens);

    // The provider whose verdict came in; empty for an answer to a question since forgotten.
    std::string on(const TokensJudged& judged);

    // The plugin or its own back end changed: everything is asked again.
    void forget(const std::string& provider);

private:
    using Question = std::pair<std::string, std::vector<Token>>;
    Context& context_;
    std::map<Question, std::optional<Verdict>> verdicts_; // nullopt: asked
    std::map<JobId, Question> asked_;
};

} // namespace stationsync::core
