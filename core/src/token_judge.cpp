#include "token_judge.hpp"

namespace stationsync::core {

std::optional<TokenJudge::Verdict> TokenJudge::ask(const std::string& provider,
                                                   const std::vector<Token>& tokens) {
    if (tokens.empty())
        return Verdict{};
    Question question{provider, tokens};
    const auto [place, added] = verdicts_.emplace(question, std::nullopt);
    if (added) {
        const JobId job = context_.new_job();
        asked_.emplace(job, question);
        context_.out.now(JudgeTokens{job, provider, tokens});
    }
    return place->second;
}

std::string TokenJudge::on(const TokensJudged& judged) {
    const auto place = asked_.find(judged.job);
    if (place == asked_.end())
        return {};
    const Question question = std::move(place->second);
    asked_.erase(place);
    const auto verdict = verdicts_.find(question);
    if (verdict == verdicts_.end())
        return {};
    verdict->second = Verdict{judged.compatible, judged.text};
    return question.first;
}

void TokenJudge::forget(const std::string& provider) {
    std::erase_if(verdicts_, [&](const auto& entry) { return entry.first.first == provider; });
    std::erase_if(asked_, [&](const auto& entry) { return entry.second.first == provider; });
}

} // namespace stationsync::core
