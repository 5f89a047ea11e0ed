#include "token_judge.hpp"

namespace stationsync::core {

std::optional<TokenJudge::Verdict> TokenJudge::ask(std::string const& provider,
                                                   std::vector<Token> const& tokens) {
    if (tokens.empty())
        return Verdict{};
    Question question{provider, tokens};
    auto const [place, added] = verdicts_.emplace(question, std::nullopt);
    if (added) {
        JobId const job = context_.new_job();
        asked_.emplace(job, question);
        context_.out.now(JudgeTokens{job, provider, tokens});
    }
    return place->second;
}

std::string TokenJudge::on(TokensJudged const& judged) {
    auto const place = asked_.find(judged.job);
    if (place == asked_.end())
        return {};
    Question const question = std::move(place->second);
    asked_.erase(place);
    auto const verdict = verdicts_.find(question);
    if (verdict == verdicts_.end())
        return {};
    verdict->second = Verdict{judged.compatible, judged.text};
    return question.first;
}

void TokenJudge::forget(std::string const& provider) {
    std::erase_if(verdicts_, [&](auto const& entry) { return entry.first.first == provider; });
    std::erase_if(asked_, [&](auto const& entry) { return entry.second.first == provider; });
}

} // namespace stationsync::core
