"""accepted.yaml: one probe an entry, every fault at its place, and no suite taken for one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.errors import SuiteError
from harness.suites.accepted import accepted_in, entry, suites_of

ENTRY = """\
  - probe: s::a
    because: known
    by: Ana
    date: 2026-11-27
    baseline: {name: base}
    asked: "%s"
""" % ("0f" * 32)


def read(tmp_path, text):
    (tmp_path / "accepted.yaml").write_text(text, encoding="utf-8")
    return list(accepted_in(tmp_path / "accepted.yaml"))


def test_no_file_accepts_nothing(tmp_path):
    assert accepted_in(tmp_path / "accepted.yaml") == {}


@pytest.mark.parametrize("text", ["accepted:\n", "accepted: []\n", "# none yet\n"])
def test_an_empty_file_accepts_nothing(tmp_path, text):
    assert read(tmp_path, text) == []


def test_an_entry(tmp_path):
    [loss] = read(tmp_path, f"accepted:\n{ENTRY}")
    assert (loss.id, loss.by, str(loss.on), loss.until, loss.weights) == (
        "s::a",
        "Ana",
        "2026-11-27",
        None,
        None,
    )
    assert loss.place.endswith("accepted.yaml:2")


def test_any_text_is_read_back(tmp_path):
    [known] = read(tmp_path, f"accepted:\n{ENTRY}")
    odd = replace(known, baseline="./a\x7fb\x85c", because='"new": 数学 😀')
    [back] = read(tmp_path, f"accepted:\n{entry(odd)}")
    assert back == odd


def test_a_suite_of_that_name_is_a_suite(tmp_path):
    assert read(tmp_path, "suite: s\nscore: mentions\ngates: []\nprobes: []\n") == []


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("s::a", "s", "accepted.yaml:2:12: 'probe' must be one probe as SUITE::PROBE, saw text 's'"),
        (
            "date: 2026-11-27",
            "date: 2026-13-27",
            "accepted.yaml:5:11: a day must be like 2027-01-31, saw text '2026-13-27'",
        ),
        ("date: 2026-11-27", "date: 20261127", "accepted.yaml:5:11: 'date' must be text, saw 20261127"),
        (
            "because: known",
            'because: " "',
            "accepted.yaml:3:14: a reason or a name must have words, saw blank text",
        ),
        ("by: Ana", "by: Ana\n    who: Ana", "accepted.yaml:5:5: unknown key 'who' in an accepted loss"),
        ("    by: Ana\n", "", "accepted.yaml:2:5: an accepted loss needs 'by'"),
        ("0f0f", "xyz", "accepted.yaml:7:12: 'asked' must be a SHA-256 in hexadecimal"),
    ],
)
def test_a_fault_is_told_at_its_place(tmp_path, monkeypatch, before, after, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SuiteError) as error:
        read(tmp_path, f"accepted:\n{ENTRY.replace(before, after)}")
    assert message in str(error.value).replace(str(tmp_path) + "/", "")


def test_a_probe_twice(tmp_path):
    with pytest.raises(
        SuiteError, match=r"accepted.yaml:8:5: the loss of 's::a' is accepted twice, first in line 2"
    ):
        read(tmp_path, f"accepted:\n{ENTRY}{ENTRY}")


def test_a_neighbour_whose_suite_is_no_name(tmp_path):
    (tmp_path / "suite_odd.yaml").write_text("suite: [a]\ngates: []\nprobes: []\n")
    assert suites_of(tmp_path / "accepted.yaml") == {}
