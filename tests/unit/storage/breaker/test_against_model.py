"""The breaker beside a naive model that keeps a list of all that ever happened and looks everything up in it."""

import random
from dataclasses import dataclass, field

from storage.breaker import Breaker, Outcome, Permit, Rules, State

SEQUENCES = 10_000
RULES = [
    Rules(),
    Rules(in_a_row=2, window=4, least_calls=2),
    Rules(in_a_row=100, window=5, least_calls=3, share=0.6, slow_s=2.0),
    Rules(in_a_row=100, window=3, least_calls=3, share=1.0, open_s=8.0, longest_open_s=16.0, probe_s=4.0),
]


@dataclass
class Model:
    """Answers from the whole list of what happened, which it reads from its end every time."""

    rules: Rules
    went: list[tuple[int, State, float]] = field(default_factory=list)  # place in the list, state, open until
    happened: list[tuple[str, int, str]] = field(default_factory=list)  # "gave" or "took", number, outcome
    gave_at: dict[int, float] = field(default_factory=dict)

    def state(self) -> State:
        """Return the state that it went to last."""
        return self.went[-1][1] if self.went else State.CLOSED

    def lately(self) -> list[tuple[str, int, str]]:
        """Return what happened since it went to its state."""
        return self.happened[self.went[-1][0] :] if self.went else self.happened

    def go(self, state: State, now: float, asked: float | None = None) -> None:
        """Go to a state."""
        until = now + min(self.rules.longest_open_s, max(self.rules.open_s, asked or 0))
        self.went.append((len(self.happened), state, until))

    def ask(self, number: int, now: float) -> bool:
        """Say whether call `number` may be made."""
        if self.state() == State.OPEN and self.went[-1][2] <= now:
            self.go(State.HALF_OPEN, now)
        if self.state() in (State.OPEN, State.FORCED_OPEN):
            return False
        if self.state() == State.HALF_OPEN:
            given = [n for what, n, _ in self.lately() if what == "gave"]
            back = [n for what, n, _ in self.lately() if what == "took"]
            if given and given[-1] not in back and now - self.gave_at[given[-1]] < self.rules.probe_s:
                return False
        self.happened.append(("gave", number, ""))
        self.gave_at[number] = now
        return True

    def take(self, number: int, outcome: Outcome, now: float, asked: float | None) -> None:
        """Take in what became of call `number`."""
        given = [n for what, n, _ in self.lately() if what == "gave"]
        if number not in given or (self.state() == State.HALF_OPEN and number != given[-1]):
            return
        slow = self.rules.slow_s is not None and now - self.gave_at[number] >= self.rules.slow_s
        word = {"success": "bad" if slow else "good", "gave_up": "bad" if slow else "-", "ignored": "-"}
        verdict = word.get(outcome, "bad" if outcome == "failure" else "strained")
        self.happened.append(("took", number, verdict))
        if self.state() == State.HALF_OPEN and verdict != "-":
            self.go(State.CLOSED if verdict == "good" else State.OPEN, now, asked)
        elif self.state() == State.CLOSED and verdict in ("bad", "strained") and self.too_many():
            self.go(State.OPEN, now, asked)

    def too_many(self) -> bool:
        """Say whether too many of the last calls failed."""
        results = [verdict for what, _, verdict in self.lately() if what == "took" and verdict != "-"]
        row = "".join({"good": "g", "bad": "b", "strained": ""}[verdict] for verdict in results)
        if row.endswith("b" * self.rules.in_a_row):
            return True
        last = results[-self.rules.window :]
        failed = len([verdict for verdict in last if verdict != "good"])
        return len(last) >= self.rules.least_calls and failed >= self.rules.share * len(last)


def play(seed: int) -> set[State]:
    """Play one random sequence to both, compare every answer, and return the states that were seen."""
    chance = random.Random(seed)
    rules = RULES[seed % len(RULES)]
    breaker, model = Breaker(rules), Model(rules)
    under_way: list[tuple[int, Permit]] = []
    seen: set[State] = set()
    now, health = 0.0, chance.random()
    steps = (0.0, 0.25, 1.0, rules.probe_s, rules.open_s / 4, rules.open_s)
    for number in range(chance.randint(10, 45)):
        now += chance.choice(steps) if chance.random() < 0.3 else 0.0
        what = chance.random()
        if what < 0.5:
            permit = breaker.allow(now)
            assert (permit is not None) is model.ask(number, now), (seed, number)
            if permit is not None:
                under_way.append((number, permit))
        elif what < 0.98 and under_way:
            called, permit = under_way.pop(chance.randrange(len(under_way)))
            good = chance.random() < health
            outcome = Outcome.SUCCESS if good else chance.choice([Outcome.FAILURE] * 3 + list(Outcome))
            asked = chance.choice((None, None, 5.0, 1000.0))
            breaker.record(permit, outcome, now, retry_after_s=asked)
            model.take(called, outcome, now, asked)
        elif what >= 0.98:
            state = chance.choice(list(State))
            breaker.force(state, now)
            model.go(state, now)
        assert breaker.state is model.state(), (seed, number)
        seen.add(breaker.state)
    return seen


def test_ten_thousand_random_sequences_agree() -> None:
    """Every permit, refusal and state is the model's, in all states and for four sets of rules."""
    seen: dict[State, int] = dict.fromkeys(State, 0)
    for seed in range(SEQUENCES):
        for state in play(seed):
            seen[state] += 1
    assert min(seen.values()) >= 100, seen
