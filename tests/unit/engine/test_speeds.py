"""The speed of models: measured step by step, kept in the cache folder, and read back by the next estimate."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from harness.cli.main import main
from harness.engine import pace, speeds
from harness.engine.estimate import Estimate
from harness.engine.pace import Pace, RunsOn
from harness.engine.speeds import ASSUMED, FILE, MOST_KEPT, Speed, given_speed, measured, remember

SMALL = RunsOn("small", 135_000_000, "cpu, 2 threads", "float32", "transformers")
SUITE = "suite: s\nscore: mentions\ngates: [{over: each}]\nprobes: [{id: a, question: Why is it so?, answer: yes}]\n"


@pytest.fixture
def today(monkeypatch):
    """The day of all that is measured, a moment before midnight."""
    now = datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)
    monkeypatch.setattr(speeds, "datetime", SimpleNamespace(now=now.astimezone))
    return now.date()


class Timed:
    """An engine that has worked."""

    label = "small"

    def __init__(self, runs_on=SMALL, **done):
        self.runs_on = runs_on
        self.pace = Pace(
            **{
                "read": 9_000,
                "reading": 10.0,
                "written": 400,
                "writing": 8.0,
                "size": Estimate(7_000, 1_000, 100),
                **done,
            }
        )


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / FILE


def test_nothing_measured_is_a_range(cache):
    assert measured() == (ASSUMED, None)
    assert not ASSUMED.known
    assert ASSUMED.fast.seconds(Estimate(3e5, 3e4)) < ASSUMED.slow.seconds(Estimate(3e5, 3e4))


def test_what_a_run_measured_is_read_back(cache, today):
    remember(Timed())
    timing, note = measured()
    assert (timing.slow, timing.known, note) == (Speed(900, 50, 0.4, 20), True, None)
    assert timing.slow.seconds(Estimate(1_800, 1_000)) == pytest.approx(2 + 8)
    assert timing.slow.seconds(Estimate(1_800, 1_000, 90)) == pytest.approx(4 + 8)
    assert timing.source == (
        f"as measured on this machine on {today} with small (135 M parameters, cpu, 2 threads, float32): "
        "900 tokens read and 50 written a second, answers 40.0 % as long as they may be"
    )


def test_a_much_shorter_run_replaces_nothing(cache):
    remember(Timed(RunsOn("base", 135_000_000, "cpu, 2 threads", "float32", "transformers")))
    remember(Timed(RunsOn("large", 7_000_000_000, "cuda, H100", "bfloat16", "transformers")))
    remember(Timed(read=300, written=20))
    assert measured()[0].slow == Speed(900, 50, 0.4, 20)
    assert "with base (135 M" in measured()[0].source
    remember(Timed(read=3_000, written=20))
    assert "with small (135 M" in measured()[0].source


def test_the_last_model_counts_and_each_is_kept_once(cache):
    for runs_on in (SMALL, RunsOn("large", 7_000_000_000, "cuda, H100", "bfloat16", "transformers"), SMALL):
        remember(Timed(runs_on, read=90_000))
    assert [row["model"] for row in json.loads(cache.read_text())["speeds"].values()] == ["large", "small"]
    assert "with small " in measured()[0].source


def test_the_oldest_give_way(cache):
    for number in range(MOST_KEPT + 3):
        remember(Timed(RunsOn(f"m{number}", 1 + number, "cpu", "float32", "transformers")))
    kept = [row["model"] for row in json.loads(cache.read_text())["speeds"].values()]
    assert (len(kept), kept[0], kept[-1]) == (MOST_KEPT, "m3", f"m{MOST_KEPT + 2}")


def test_a_model_that_only_read_has_a_speed(cache):
    remember(Timed(written=0, writing=0.0, size=Estimate(9_500, 0, 100)))
    assert measured()[0].slow == Speed(900, 900)


@pytest.mark.parametrize("engine", [Timed(reading=0.1, writing=0.1), object()], ids=["short", "untimed"])
def test_what_tells_nothing_is_not_kept(cache, engine):
    remember(engine)
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_stops_no_run(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "file"))
    remember(Timed())
    assert measured() == (ASSUMED, None)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "is not a JSON object"),
        ("{}", "it holds no speeds"),
        ('{"speeds": [1]}', "it holds no speeds"),
        ('{"speeds": {"a": {"model": 1}}}', "1 of its speeds make no sense, and are ignored"),
        ('{"speeds": {"a": null}}', "1 of its speeds make no sense, and are ignored"),
    ],
)
def test_a_damaged_file_is_ignored_with_a_note_and_written_anew(cache, content, note):
    cache.parent.mkdir()
    cache.write_text(content)
    timing, said = measured()
    assert timing == ASSUMED
    assert note in said
    assert str(cache) in said
    remember(Timed())
    assert measured()[0].known
    assert measured()[1] is None


@pytest.mark.parametrize(
    "change",
    [
        {"read_per_second": 0}, {"read_per_second": "9"}, {"written_per_second": True}, {"share": -1}, {"share": None}, {"more": -1},
        {"measured": "today"}, {"measured": None}, {"model": None}, {"parameters": -1}, {"read_per_second": 10**400},
    ],
    ids=str,
)  # fmt: skip
def test_a_speed_that_makes_no_sense_is_ignored(cache, change):
    remember(Timed())
    data = json.loads(cache.read_text())
    next(iter(data["speeds"].values())).update(change)
    cache.write_text(json.dumps(data))
    assert measured()[0] == ASSUMED


def test_reading_and_writing_take_their_own_time(monkeypatch):
    clock = iter([0.0, 4.0, 5.0, 7.0, 7.0, 8.0])
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(clock))
    done = Pace()
    with done.while_reading():
        pass
    for _ in range(2):
        with done.while_writing():
            pass
    assert (done.reading, done.writing) == (4.0, 3.0)


# plan


def plan(tmp_path, capsys, *options):
    (tmp_path / "s.yaml").write_text(SUITE, encoding="utf-8")
    assert main(["plan", str(tmp_path / "s.yaml"), *options]) == 0
    out, err = capsys.readouterr()
    return " ".join(out.split()), err


def test_plan_says_what_it_assumed(cache, tmp_path, capsys):
    out, err = plan(tmp_path, capsys)
    assert "<1 to 1" in out
    assert (
        "of one model, as nothing was measured on this machine yet: from a large GPU (30,000 tokens read"
        in out
    )
    assert out.endswith("A run asks both models: 0 s to 1 s, and loads them first.")
    assert err == ""


def test_plan_says_where_its_speed_comes_from(cache, today, tmp_path, capsys):
    remember(Timed(reading=1e5, writing=1e4))
    out, _ = plan(tmp_path, capsys)
    assert f"of one model, as measured on this machine on {today} with small (135 M parameters" in out
    assert "A run asks both models: about 31 min, and loads them first." in out
    data = json.loads(plan(tmp_path, capsys, "--json")[0])
    assert data["speed"]["known"]
    assert data["total"]["seconds"] == data["total"]["seconds_at_least"]


def test_a_speed_that_the_user_names_comes_first(cache, tmp_path, capsys):
    remember(Timed())
    assert "of one model, at 10 tokens a second" in plan(tmp_path, capsys, "--tokens-per-second", "10")[0]
    assert given_speed(10).known


def test_plan_notes_a_damaged_file(cache, tmp_path, capsys):
    cache.parent.mkdir()
    cache.write_text("{")
    _, err = plan(tmp_path, capsys)
    assert err.startswith(f"note: {cache}: cannot be read as JSON: ")
    assert err.endswith("\n  it is ignored, and written anew by the next run\n")


def test_the_shortest_measurement_is_long_enough_to_tell(monkeypatch):
    assert Pace(reading=pace.LEAST_SECONDS).telling
    assert not Pace().telling
