"""What an engine of anyone's code may give for an answer, and what is refused with the request it was asked."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.engine.checked import checked
from harness.engine.requests import (
    ChoiceLogProbs,
    Continuations,
    Generate,
    Generated,
    LogLikelihood,
    MultipleChoice,
    Plain,
    Reasoning,
    RollingLogLikelihood,
    UnansweredError,
)

WRITE = Generate(Plain("Q?"), 5)
CHOOSE = MultipleChoice(Plain("Q?"), ("a", "b"))
CONTINUE = Continuations(((Plain("Q?"), "a"),))
MEASURE = RollingLogLikelihood("a text")


@pytest.mark.parametrize(
    ("request_", "given", "plain"),
    [
        (WRITE, Generated(np.str_("yes"), np.int64(1)), Generated("yes", 1)),
        (WRITE, Generated("", 0, "limit", Reasoning("so", 1)), Generated("", 0, "limit", Reasoning("so", 1))),
        (CHOOSE, ChoiceLogProbs(np.array([-1.0, -2.0])), ChoiceLogProbs((-1.0, -2.0))),
        (CHOOSE, ChoiceLogProbs([np.float32(-1), -2]), ChoiceLogProbs((-1.0, -2.0))),
        (CHOOSE, ChoiceLogProbs((1e-6, -2.0)), ChoiceLogProbs((1e-6, -2.0))),
        (CHOOSE, ChoiceLogProbs((-math.inf, -2.0)), ChoiceLogProbs((-math.inf, -2.0))),
        (CONTINUE, ChoiceLogProbs((-1.0,), (np.True_,)), ChoiceLogProbs((-1.0,), (True,))),
        (MEASURE, LogLikelihood(np.float64(-3), np.int32(2), 9), LogLikelihood(-3.0, 2, 9)),
    ],
)
def test_an_answer_becomes_plain(request_, given, plain):
    (answer,) = checked("mine", (given,), [request_])
    assert repr(answer) == repr(plain)


@pytest.mark.parametrize(
    ("request_", "given", "said"),
    [
        (WRITE, None, "must answer with Generated, saw NoneType"),
        (WRITE, LogLikelihood(-3.0, 1), "must answer with Generated, saw LogLikelihood"),
        (WRITE, Generated(b"yes", 1), "an answer's text must be text, saw bytes"),
        (WRITE, Generated("yes", None), "'tokens' must be a count, saw None"),
        (WRITE, Generated("yes", -1), "'tokens' must be a count, saw -1"),
        (WRITE, Generated("yes", math.nan), "'tokens' must be a count, saw nan"),
        (WRITE, Generated("yes", 1, "eos"), "'ended' must be one of turn, stop, limit, or None, saw 'eos'"),
        (WRITE, Generated("yes", 1, ["turn"]), "'ended' must be one of turn, stop, limit, or None, saw ['turn']"),
        (WRITE, Generated("yes", 1, "turn", "so"), "'reasoning' must be a Reasoning, or None, saw str"),
        (CHOOSE, ChoiceLogProbs((-1.0,)), "gave 1 log-probabilities for 2 choices"),
        (CHOOSE, ChoiceLogProbs(None), "'logprobs' must be a tuple of numbers, saw NoneType"),
        (CHOOSE, ChoiceLogProbs((None, -1.0)), "a log-probability must be a number, saw NoneType"),
        (CHOOSE, ChoiceLogProbs((True, -1.0)), "a log-probability must be a number, saw bool"),
        (CHOOSE, ChoiceLogProbs((1j, -1.0)), "a log-probability must be a number, saw complex"),
        (CHOOSE, ChoiceLogProbs((math.nan, 0.25)), "gave the log-probability 0.25, and none is above 0"),
        (CHOOSE, ChoiceLogProbs((-math.inf, 0.5)), "gave the log-probability 0.5, and none is above 0"),
        (CONTINUE, ChoiceLogProbs((2.0,), (True,)), "gave the log-probability 2, and none is above 0"),
        (CONTINUE, ChoiceLogProbs((-2.0,), "yes"), "'greedy' must be a truth value for each choice, or empty, saw 'yes'"),
        (MEASURE, LogLikelihood("-3", 1), "a log-probability must be a number, saw str"),
        (MEASURE, LogLikelihood(-3.0, 1, 1.5), "'vocabulary' must be a count, saw 1.5"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused_with_its_request(request_, given, said):
    right = Generated("yes", 1)
    with pytest.raises(UnansweredError) as error:
        checked("mine", [right, given], [WRITE, request_])
    assert str(error.value) == f"mine: {said}"
    assert error.value.request == request_
