"""Faults on demand: rules that a test sets through the control channel."""

import itertools
import re

from .errors import Message, SessionEnded, SqlError

# Places in a statement at which a rule can strike. `start` and `end` exist for every statement, the others for
# BACKUP and RESTORE: the device is opened, its header read, the plan made, data carried (with a percentage), the
# database recovered.
STAGES = ("start", "open", "header", "plan", "data", "recovery", "end")
ACTIONS = ("error", "hang", "drop", "kill", "slow", "late_error")


class Rule:
    _numbers = itertools.count(1)

    def __init__(self, fields):
        self.id = next(Rule._numbers)
        self.pattern = re.compile(fields.get("match", ""), re.IGNORECASE | re.DOTALL)
        self.program = fields.get("program")
        self.skip = fields.get("skip", 0)
        self.times = fields.get("times", 1)
        self.stage = fields.get("stage", "start")
        self.percent = fields.get("percent", 0)
        self.action = fields["action"]
        self.errors = fields.get("errors", [])
        self.seconds = fields.get("seconds", 0)
        self.results = fields.get("results", 0)
        self.leaves = fields.get("leaves")
        self.ignore_attention = fields.get("ignore_attention", False)
        self.struck = 0
        self.held = False
        self.released = False
        if self.stage not in STAGES or self.action not in ACTIONS:
            raise ValueError(f"no such stage or action: {self.stage}, {self.action}")

    def matches(self, session, text):
        return (self.program is None or session.program == self.program) and bool(self.pattern.search(text))

    def messages(self):
        result = []
        for error in self.errors:
            error = error if isinstance(error, dict) else {"number": error}
            number = error["number"]
            arguments = error.get("arguments", [])
            text = error.get("text")
            if text is None and not arguments:
                text = Message(number, *[""] * 8).text if number < 0 else None
            if text is None:
                text = _plain_text(number, arguments)
            result.append(Message(number, severity=error.get("severity"), text=text, state=error.get("state", 1)))
        return result


def _plain_text(number, arguments):
    """The text of a message, its places filled with what there is."""
    from .errors import MESSAGES
    template = MESSAGES.get(number, (16, f"Error {number}."))[1]
    values = iter(arguments)
    return re.sub(r"%s", lambda _: str(next(values, "…")), template).replace("%%", "%")


class Faults:
    def __init__(self, instance):
        self.instance = instance
        self.rules = []
        self.intruders = []
        self.login_refusal = None  # {"number": 18456, "times": n}
        self.hang_up = None  # {"at": "prelogin" | "login", "times": n}

    def add(self, fields):
        rule = Rule(fields)
        self.rules.append(rule)
        return rule

    def find(self, identifier):
        return next((rule for rule in self.rules if rule.id == identifier), None)

    def clear(self):
        for rule in self.rules:
            rule.released = True
        self.rules, self.intruders, self.login_refusal, self.hang_up = [], [], None, None
        self.instance.changed.notify_all()

    def at(self, session, text, stage, percent=0, database=None):
        """Called at every stage of every statement; strikes with the first rule that fits."""
        for rule in self.rules:
            if rule.stage != stage or not rule.times or percent < rule.percent or not rule.matches(session, text):
                continue
            if rule.action == "slow":
                if session.request:
                    session.request.wait_type = "BACKUPIO"
                self.instance.wait(session, lambda rule=rule: rule.released, rule.seconds)
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            rule.times -= 1
            rule.struck += 1
            if rule.leaves and database is not None:
                database.state = rule.leaves
            self._strike(rule, session)

    def _strike(self, rule, session):
        if rule.action == "hang":
            rule.held = True
            self.instance.changed.notify_all()
            if rule.ignore_attention:
                while not rule.released and not session.ended:
                    self.instance.changed.wait(1.0)
                if session.ended:
                    raise SessionEnded(session.ended)
            else:
                self.instance.wait(session, lambda: rule.released)
            rule.held = False
        elif rule.action == "drop":
            session.end("dropped")
            raise SessionEnded("dropped")
        elif rule.action == "kill":
            session.end("killed")
            raise SessionEnded("killed")
        elif rule.action == "late_error":
            session.connection.empty_results(rule.results)
            raise SqlError(*rule.messages())
        else:
            raise SqlError(*rule.messages())

    # Other users

    def after_access_change(self, database):
        """Programs of the test that want into the database come at once when its access has changed."""
        for intruder in self.intruders:
            self._let_in(intruder, database, "after")

    def before_entering(self, database):
        for intruder in self.intruders:
            self._let_in(intruder, database, "before")

    def _let_in(self, intruder, database, when):
        from .instance import Ghost
        if intruder["when"] != when or not intruder["times"] or \
                intruder["database"].casefold() != database.name.casefold():
            return
        if intruder.get("access") and intruder["access"] != database.user_access:
            return
        login = self.instance.security.find(intruder["login"])
        ghost = Ghost(self.instance, database, login, program=intruder.get("program", "intruder"))
        try:
            database.check_access(ghost)
        except SqlError:
            return
        intruder["times"] -= 1
        ghost.enter()
