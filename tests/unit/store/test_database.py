"""The file of a store: what is kept comes back, and what is damaged, foreign, newer, locked or read-only is said."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest

from harness.store import sqlite_file as module
from harness.store.database import Database, Stored, StoreError
from harness.store.shelf import Store

ANSWER = {"kind": "generate", "text": "Paris é \U0001f600 \ud800", "tokens": 1}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "answers.db"


def stored(key="m"):
    return Stored(key, {"weights": key})


def test_answers_come_back_by_model_and_request(path):
    database = Database(path)
    one, other = stored("one"), stored("other")
    database.keep(one, {"a": ANSWER, "b": {"kind": "choose", "logprobs": [-0.1, -1e300]}})
    database.keep(other, {"a": {"kind": "generate", "text": "", "tokens": 0}})
    database.close()
    again = Database(path)
    assert again.answers(one, ["a", "b", "c"]) == {
        "a": ANSWER,
        "b": {"kind": "choose", "logprobs": [-0.1, -1e300]},
    }
    assert again.answers(other, ["a", "b"]) == {"a": {"kind": "generate", "text": "", "tokens": 0}}


def test_many_requests_are_found_at_once(path):
    database = Database(path)
    model = stored()
    keys = [f"r{i}" for i in range(2345)]
    database.keep(model, dict.fromkeys(keys, ANSWER))
    assert len(database.answers(model, keys)) == 2345


def test_facts_come_back(path):
    database = Database(path)
    database.keep_fact("k", {"a": [1, None]})
    database.keep_fact("k", {"a": [2, None]})
    assert database.fact("k") == {"a": [2, None]}
    assert database.fact("other") is None


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_bytes(b"not a database, but long enough to be read as one" * 40), "is damaged, or not a store of answers"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000] + b"\x55" * 4000 + path.read_bytes()[9000:]), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:3000]), "is damaged"),
        (lambda path: changed(path, "PRAGMA user_version = 99"), "newer version (format 99; this one reads 1)"),
        (lambda path: changed(path, "PRAGMA application_id = 7"), "a database of something else"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be opened or made"),
    ],
    ids=["text", "torn page", "cut", "newer", "foreign", "folder"],
)  # fmt: skip
def test_what_cannot_be_used_is_said(path, damage, said):
    database = Database(path)
    model = stored()
    database.keep(model, {f"r{i}": ANSWER for i in range(300)})
    database.close()
    damage(path)
    with pytest.raises(StoreError, match=re.escape(said)):
        use_all(path)


def use_all(path):
    database = Database(path)
    database.answers(stored(), [f"r{i}" for i in range(300)])
    database.keep(stored(), {f"s{i}": ANSWER for i in range(300)})
    database.models()


def changed(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("column", ["answer", "request", "checksum"])
def test_an_answer_that_is_not_what_was_kept_is_not_there(path, column):
    database = Database(path)
    model = stored()
    database.keep(model, {"a": ANSWER, "b": ANSWER})
    value = {"answer": "replace(answer, 'Paris', 'Paras')", "request": "'c'", "checksum": "x'00'"}[column]
    changed(path, f"UPDATE answers SET {column} = {value} WHERE request = 'a'")
    assert list(database.answers(model, ["a", "b", "c"])) == ["b"]


def test_a_locked_store_is_said(path, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    database = Database(path)
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="another process has it locked"):
        database.keep_fact("a", 1)
    other.close()
    database.keep_fact("a", 1)


def test_two_processes_fill_one_store(path):
    code = (
        "import sys; from pathlib import Path; from harness.store.database import Database, Stored\n"
        "database = Database(Path(sys.argv[1])); model = Stored('m', {'weights': 'm'})\n"
        "for i in range(100): database.keep(model, {f'{sys.argv[2]}{i}': {'text': str(i)}, f'both{i}': {'text': 'x'}})"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in "ab"]
    assert [process.wait(60) for process in running] == [0, 0]
    assert [model.answers for model in Database(path).models()] == [300]


def test_threads_share_one(path):
    database = Database(path)
    model = stored()

    def fill(name):
        for i in range(50):
            database.keep(model, {f"{name}{i}": ANSWER})

    threads = [threading.Thread(target=fill, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [model.answers for model in database.models()] == [150]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_kill_loses_nothing_that_was_kept(path):
    code = (
        "import sys; from pathlib import Path; from harness.store.database import Database, Stored\n"
        "database = Database(Path(sys.argv[1])); model = Stored('m', {'weights': 'm'})\n"
        "for i in range(10**6):\n    database.keep(model, {str(i): {'text': 'x' * 500}}); print(i, flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        kept = [process.stdout.readline() for _ in range(30)]
        process.kill()
        kept += process.stdout.readlines()
    last = max(int(line) for line in kept if line.endswith("\n"))
    database = Database(path)
    found = database.answers(stored(), [str(i) for i in range(last + 1)])
    assert len(found) == last + 1


def test_what_was_not_used_for_long_is_removed(path):
    database = Database(path)
    for name in ("old", "new"):
        database.keep(stored(name), {"a": ANSWER})
    changed(path, "UPDATE models SET used = 5 WHERE name = 'old'")
    assert database.prune(before=10) == 1
    assert [(model.name, model.answers) for model in database.models()] == [("new", 1)]


def test_a_model_that_was_pruned_beside_a_run_is_kept_anew_as_itself(path):
    run, other = Database(path), Database(path)
    run.keep(stored("a"), {"r1": ANSWER})
    changed(path, "UPDATE models SET used = 5")
    assert other.prune(before=10) == 1
    other.keep(stored("b"), {"r2": ANSWER})
    assert run.answers(stored("a"), ["r1", "r2"]) == {}
    run.keep(stored("a"), {"r3": ANSWER})
    assert {model.name: list(run.all_answers(model)) for model in run.models()} == {"a": ["r3"], "b": ["r2"]}


def test_what_is_only_read_is_used(path):
    database = Database(path)
    shelf = Store(path, pytest.fail).shelf("a", {"weights": "a"})
    shelf.keep({"r": ANSWER})
    database.keep_fact("k", 1)
    database.keep_fact("old", 1)
    for table in ("models", "facts"):
        changed(path, f"UPDATE {table} SET used = 5")
    assert (list(shelf.answers(["r"])), database.fact("k")) == (["r"], 1)
    assert database.prune(before=10) == 0
    assert (list(shelf.answers(["r"])), database.fact("k"), database.fact("old")) == (["r"], 1, None)
