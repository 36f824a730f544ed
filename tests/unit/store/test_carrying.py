"""Answers that are carried to another machine: all of them, or a refusal that says what is different there."""

from __future__ import annotations

import pytest

from harness.cli.main import main
from harness.store import content
from harness.store.carrying import export, import_file
from harness.store.content import installed
from harness.store.database import Database, Stored, StoreError

ANSWERS = {f"r{i}": {"kind": "generate", "text": f"answer {i}", "tokens": 1} for i in range(700)}
CONTENT = {**installed(), "weights": {"model.safetensors": "a" * 64}, "text": [{"tokenizer.json": "b" * 64}], "dtype": "float32", "device": "cpu"}  # fmt: skip

LEAF = 10
"""The first byte of a page that holds rows of a table WITHOUT ROWID."""


@pytest.fixture
def here(tmp_path):
    return Database(tmp_path / "here.db")


@pytest.fixture
def file(tmp_path):
    there = Database(tmp_path / "there.db")
    there.keep(Stored("base", CONTENT), ANSWERS)
    there.keep(Stored("other", {**CONTENT, "weights": {}}), {"r1": {"kind": "choose", "logprobs": [0.0]}})
    export(there, there.models()[-1:], tmp_path / "base.answers")
    return tmp_path / "base.answers"


def test_the_answers_arrive(here, file):
    assert [model.name for model in import_file(file, here, installed())] == ["base"]
    assert here.answers(Stored("any name", CONTENT), list(ANSWERS)) == ANSWERS


def test_the_file_is_one_file_that_may_be_read_only(here, file):
    assert [path.name for path in file.parent.glob("base.answers*")] == ["base.answers"]
    file.chmod(0o400)
    import_file(file, here, installed())
    assert [path.name for path in file.parent.glob("base.answers*")] == ["base.answers"]


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("versions", {**installed()["versions"], "torch": "9.0"}, "versions torch: "),
        ("versions", {}, "versions transformers: "),
        ("python", "9.9", "python: "),
        ("answers", 99, f"answers: {content.ANSWERS} there, 99 here"),
        ("weights", {"model.safetensors": "c" * 64}, "weights model.safetensors: aaaaaaaaaaaa there, cccccccccccc here"),
        ("weights", {}, "weights model.safetensors: aaaaaaaaaaaa there, nothing here"),
        ("text", [{"tokenizer.json": "d" * 64}], "text tokenizer.json: bbbbbbbbbbbb there, dddddddddddd here"),
        ("adapter", {"adapter_model.safetensors": "e" * 64}, "adapter"),
    ],
)  # fmt: skip
def test_other_conditions_are_refused_by_name(here, file, part, value, said):
    with pytest.raises(StoreError) as raised:
        import_file(file, here, {**installed(), part: value})
    assert (
        str(raised.value)
        .splitlines()[0]
        .endswith("its answers of base were given elsewhere under other conditions:")
    )
    assert said in str(raised.value)
    assert here.models() == []


def test_a_damaged_file_is_refused(here, file):
    content = file.read_bytes()
    assert content.count(b'answer 77"') == 1
    file.write_bytes(content.replace(b'answer 77"', b'answer 78"'))
    with pytest.raises(StoreError, match="is damaged: 1 answers are not as they were"):
        import_file(file, here, installed())
    assert here.models() == []


def test_a_file_that_hides_answers_is_refused(here, file):
    """A page of the table lists half of its rows; SQLite itself reads those without an error."""
    content = bytearray(file.read_bytes())
    page = max(begin for begin in range(0, len(content), 4096) if content[begin] == LEAF)
    content[page + 4] //= 2  # the low byte of its number of rows
    file.write_bytes(content)
    with pytest.raises(StoreError, match="it is damaged"):
        import_file(file, here, installed())
    assert here.models() == []


def test_a_store_is_not_exported_over_itself(here, tmp_path):
    here.keep(Stored("base", CONTENT), ANSWERS)
    (tmp_path / "link.db").symlink_to(here.path)
    for file in (here.path, tmp_path / "link.db"):
        with pytest.raises(StoreError, match="is the store itself, which would be lost\n  name another file"):
            export(here, [], file)
    assert [model.answers for model in here.models()] == [len(ANSWERS)]


def test_a_store_that_is_in_use_is_not_imported(here, tmp_path):
    there = Database(tmp_path / "there.db")
    there.keep(Stored("base", CONTENT), ANSWERS)
    with pytest.raises(StoreError, match=r"a part of it is in there\.db-wal, as of a file that a run writes"):
        import_file(there.path, here, installed())
    there.close()
    import_file(there.path, here, installed())


class TestCommand:
    def run(self, capsys, *arguments):
        code = main(["store", *map(str, arguments)])
        seen = capsys.readouterr()
        return code, seen.out + seen.err

    def test_a_round(self, capsys, tmp_path, here, file):
        store = tmp_path / "here.db"
        code, said = self.run(capsys, "import", file, "--store", store)
        assert (code, "700 answers of base are kept" in said) == (0, True)
        code, said = self.run(capsys, "info", "--store", store)
        assert (code, "700 answers of 1 model," in said, "base (float32, cpu): 700 answers" in said) == (
            0,
            True,
            True,
        )
        code, said = self.run(capsys, "export", tmp_path / "out", "--store", store)
        assert (code, "700 answers of base" in said) == (0, True)
        code, said = self.run(capsys, "prune", "--days", "1", "--store", store)
        assert (code, said == "removed the answers of 0 models that were not used for 1 day\n") == (0, True)

    def test_the_size_is_that_of_the_store_alone(self, capsys, tmp_path, here):
        here.keep(Stored("base", CONTENT), {"r": next(iter(ANSWERS.values()))})
        (tmp_path / "here.db.old-copy").write_bytes(b"x" * 3_000_000)
        files = [tmp_path / f"here.db{end}" for end in ("", "-wal", "-shm")]
        code, said = self.run(capsys, "info", "--store", here.path)
        size = sum(file.stat().st_size for file in files if file.is_file())
        assert (code, said.splitlines()[0]) == (
            0,
            f"{here.path}: 1 answer of 1 model, {size / 1e6:.1f} MB",
        )
        assert "base (float32, cpu): 1 answer, last used" in said

    def test_one_answer_is_no_plural(self, capsys, tmp_path, here):
        here.keep(Stored("base", CONTENT), {"r": next(iter(ANSWERS.values()))})
        carried, there = tmp_path / "carried", tmp_path / "there.db"
        assert (
            f"{carried}: 1 answer of base\n" in self.run(capsys, "export", carried, "--store", here.path)[1]
        )
        code, said = self.run(capsys, "import", carried, "--store", there)
        assert (code, said) == (0, f"{carried}: 1 answer of base is kept\n")

    def test_nothing_to_export(self, capsys, tmp_path):
        Database(tmp_path / "empty.db").close()
        Database(tmp_path / "empty.db").close()
        code, said = self.run(capsys, "export", tmp_path / "out", "--store", tmp_path / "empty.db")
        assert (code, "holds no answers\n  run the gate once" in said) == (4, True)
        assert not (tmp_path / "out").exists()

    def test_a_file_that_is_missing(self, capsys, tmp_path):
        code, said = self.run(capsys, "import", tmp_path / "none", "--store", tmp_path / "here.db")
        assert (code, "no such file" in said) == (4, True)

    def test_a_store_that_is_off(self, capsys):
        code, said = self.run(capsys, "info", "--store", "off")
        assert (code, "the store is switched off" in said) == (4, True)

    @pytest.mark.parametrize("command", [("info",), ("prune",), ("export", "out")])
    def test_a_store_that_is_not_there_is_not_made(self, capsys, tmp_path, command):
        code, said = self.run(capsys, *command, "--store", tmp_path / "typo.db")
        assert code == 4
        assert f"{tmp_path / 'typo.db'}: there is no store\n  run the gate, which keeps one, or name" in said
        assert not list(tmp_path.iterdir())

    def test_only_a_store_is_overwritten(self, capsys, file, tmp_path):
        suite = tmp_path / "suite.yaml"
        suite.write_text("suite: mine\n")
        code, said = self.run(capsys, "export", suite, "--store", file)
        assert code == 4
        assert "is damaged, or not a store of answers, and is left as it is\n  name another file" in said
        assert suite.read_text() == "suite: mine\n"
        again = tmp_path / "again.answers"
        assert [self.run(capsys, "export", again, "--store", file)[0] for _ in "12"] == [0, 0]
