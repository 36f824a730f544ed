"""10,000 requests to servers that drop, delay, truncate, repeat and limit: `make test-server`, some minutes."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.engine.requests import Chat, Generate, Message
from harness.engine.settings import Settings
from harness.models.reference import Endpoint, ModelPair
from harness.store.opening import open_pair
from tests.support.served import FAULTS, serving

REQUESTS = 10_000


# On a machine so busy that a connection runs out of time, anyio leaves its socket to be collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("servers", [1, 3])
def test_no_answer_of_10_000_is_lost_or_given_twice(servers, tmp_path, capsys):
    rates = dict.fromkeys(FAULTS, 0.02)
    requests = [Generate(Chat((Message("user", f"question {n}"),)), 12) for n in range(REQUESTS)]
    with serving(rates=rates) as one, serving(rates=rates) as two, serving(rates=rates) as three:
        several = [one, two, three][:servers]
        scheme, _, rest = f"{','.join(server.url for server in several)}?revision=1#tuned".partition(":")
        model = Endpoint(scheme, rest)
        engine = open_pair(ModelPair(model, model), Settings(store=str(tmp_path / "a.db"))).tuned
        given = Counter()
        stream = engine.opened().stream

        def counted(asked, done):
            def came(answers, underway):
                given.update(list(answers))
                done(answers, underway)

            stream(asked, came)

        engine.opened().stream = counted
        answers = engine.ask(requests)
        assert [answer.text for answer in answers] == [f"tuned: question {n}" for n in range(REQUESTS)]
        assert given == Counter(requests)
        faults = sum((server.faults for server in several), Counter())
        assert {*faults} == {*FAULTS}
        with capsys.disabled():
            print(
                f"\n{REQUESTS:,} requests to {servers}: 0 lost, 0 twice; the servers' faults: {dict(faults)}"
            )
            print(*engine.told(), sep="\n")
        before = sum(len(server.asked) for server in several)
        assert engine.ask(requests) == answers
        assert sum(len(server.asked) for server in several) == before
