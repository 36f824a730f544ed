"""Lines of progress: when they come, what they say, and that no caller can break them."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import progress
from harness.progress import BETWEEN, FIRST, Meter, counter, passing
from harness.wording import a_second, duration


class Clock:
    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def meter(live=False):
    lines = []
    return Meter(lambda text, final: lines.append((text, final)), lambda: live), lines


def test_a_line_after_the_first_seconds_and_one_now_and_then(clock):
    shown, lines = meter()
    show = shown.counter("general, baseline", rest=lambda share: f"; {share:.2f} of it")
    for second in range(100):
        clock.now = 100 + second
        show(second, 200)
    assert [text for text, _ in lines] == [
        "general, baseline: 2/200 answers, 1 a second, about 3 min left; 0.01 of it",
        "general, baseline: 22/200 answers, 1 a second, about 3 min left; 0.11 of it",
        "general, baseline: 42/200 answers, 1 a second, about 3 min left; 0.21 of it",
        "general, baseline: 62/200 answers, 1 a second, about 2 min left; 0.31 of it",
        "general, baseline: 82/200 answers, 1 a second, about 2 min left; 0.41 of it",
    ]
    assert not any(final for _, final in lines)


def test_the_end_is_told_once(clock):
    shown, lines = meter()
    show = shown.counter("general, baseline")
    clock.now += 12
    show(36, 36)
    show(36, 36)
    shown.counter("general, tuned")(1, 1)
    assert [text for text, _ in lines] == [
        "general, baseline: 36 answers in 12 s, 3 a second",
        "general, tuned: 1 answer in 0 s",
    ]


def test_short_works_do_not_each_begin_with_a_line(clock):
    shown, lines = meter()
    for suite in range(30):
        show = shown.counter(f"s{suite}")
        clock.now += 1
        show(1, 2)
    assert [text.partition(":")[0] for text, _ in lines] == ["s1", "s21"]


def test_long_works_tell_less_often(clock):
    shown, lines = meter()
    show = shown.counter("general")
    for minute in range(600):
        clock.now = 100 + 60 * minute
        show(minute, 1_000)
    told = [int(text.split(": ")[1].partition("/")[0]) for text, _ in lines]
    assert told[:4] == [1, 2, 3, 4]
    assert told[-1] - told[-2] == 5


def test_a_line_that_moves_begins_at_once_and_moves_on(clock):
    shown, lines = meter(live=True)
    show = shown.counter("general")
    for tenth in range(20):
        clock.now = 100 + tenth / 10
        show(tenth, 200)
    assert lines[0] == ("general ...", False)
    assert lines[1] == ("general: 0/200 answers", False)
    assert 8 < len(lines) < 14


def test_before_the_first_answer_nothing_is_reckoned(clock):
    shown, lines = meter()
    show = shown.counter("general")
    clock.now += FIRST
    show(0, 5)
    assert lines == [("general: 0/5 answers", False)]


def test_answers_that_are_given_again_do_not_count_back(clock):
    shown, lines = meter()
    show = shown.counter("general")
    show(4, 9)
    clock.now += BETWEEN
    show(1, 9)
    show(5, 9)
    assert [text for text, _ in lines] == ["general: 5/9 answers, 15 a minute, about 16 s left"]


@given(st.lists(st.tuples(st.integers(-3, 50), st.integers(-3, 50)), max_size=30), st.booleans())
def test_an_engine_may_report_anything(calls, live):
    shown, lines = meter(live)
    show = shown.counter("general")
    for done, total in calls:
        show(done, total)
    assert sum(final for _, final in lines) <= len(calls)
    assert all("/0 " not in text and "/-" not in text for text, _ in lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (45.4, "45 s"), (99, "99 s"), (119, "2 min"), (5_900, "98 min"), (12_000, "3 h 20 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (2_000, "2,000 a second"),
        (1, "1 a second"),
        (0.5, "30 a minute"),
        (1 / 120, "30 an hour"),
        (0, "0 an hour"),
    ],
)
def test_rates(rate, text):
    assert a_second(rate) == text


# On stderr


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("made", [counter, passing().counter], ids=["counter", "passing"])
def test_a_log_has_no_carriage_return(made, monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    show = made("general")
    clock.now += 60
    show(1, 3)
    show(3, 3)
    written = sys.stderr.getvalue()
    assert written.startswith("general: 1/3 answers, ")
    assert written.endswith("\n")
    assert "\r" not in written


def test_a_passing_line_leaves_a_terminal_as_it_was(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", Terminal())
    show = passing().counter("general")
    show(1, 3)
    show(3, 3)
    assert sys.stderr.getvalue().split("\r")[1:] == [
        "general ...\x1b[K",
        "general: 1/3 answers\x1b[K",
        "\x1b[K",
    ]


def test_a_line_is_cut_to_the_terminal(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "20")
    passing().counter("a suite with a long name")
    assert sys.stderr.getvalue() == "\ra suite with a l...\x1b[K"


def test_a_closed_pipe_ends_no_training(monkeypatch, clock):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(32, "Broken pipe")

        def fileno(self):
            raise OSError

    monkeypatch.setattr(sys, "stderr", Closed())
    show = passing().counter("general")
    clock.now += 60
    show(1, 3)
    show(3, 3)
