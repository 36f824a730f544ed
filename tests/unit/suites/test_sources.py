from __future__ import annotations

import json

import pytest

HEAD = "suite: s\nscore: contains\ngates: [{over: all, max_drop: 0.1}]\n"
CHOOSE = HEAD.replace("contains", "choice") + "task: {answer: choose, format: text}\n"
ROWS = [
    {"question": "Who?", "answer": "Ann", "category": "a", "other": 1},
    {"question": "Where?", "answer": 7, "category": "b", "other": 2},
    {"question": "When?", "answer": True, "category": "b", "other": 3},
]


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """Writes a file where the suites of `read` and `problems` are written."""

    def write(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write


def test_json_lines(read, beside):
    beside("d.jsonl", "\n".join(json.dumps(row) for row in ROWS) + "\n\n")
    suite = read(HEAD + "probes_from: d.jsonl\n")
    assert [(p.id, p.answers, p.category, p.span.line) for p in suite.probes] == [
        ("row-1", ("Ann",), "a", 1), ("row-2", ("7",), "b", 2), ("row-3", ("true",), "b", 3),
    ]  # fmt: skip


def test_csv_with_a_mapping(read, beside):
    beside("d.csv", 'nr,q,a\nx1,"Who, now?",Ann\nx2,"Two\nlines?",Bob\n')
    suite = read(HEAD + "probes_from: {file: d.csv, fields: {id: nr, question: q, answer: a}}\n")
    assert [(p.id, p.fields["question"], p.answers) for p in suite.probes] == [
        ("x1", "Who, now?", ("Ann",)), ("x2", "Two\nlines?", ("Bob",)),
    ]  # fmt: skip


def test_parquet_with_nested_columns_and_an_index(read, beside, tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [{"q": "Which?", "options": {"text": ["red", "blue"]}, "label": 1}]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "d.parquet")
    suite = read(
        CHOOSE
        + "probes_from: {file: d.parquet, fields: {question: q, choices: options.text, answer_index: label}}\n"
    )
    assert (suite.probes[0].choices, suite.probes[0].answers) == (("red", "blue"), ("blue",))


def test_choices_from_several_columns(read, beside):
    beside("d.csv", "q,w,x,y,right\nWhich?,red,blue,green,2\n")
    suite = read(
        CHOOSE
        + "probes_from: {file: d.csv, fields: {question: q, choices: [w, x, y], answer_index: right}}\n"
    )
    assert suite.probes[0].answers == ("green",)


def test_a_local_data_set(read, tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.DatasetDict({"test": datasets.Dataset.from_list(ROWS[:1])}).save_to_disk(tmp_path / "set")
    suite = read(HEAD + "probes_from: {dataset: set, split: test}\n")
    assert suite.probes[0].answers == ("Ann",)


def test_only_the_rows_with_a_value_are_taken(read, beside):
    beside("d.jsonl", "\n".join(json.dumps(row) for row in ROWS) + "\n")
    suite = read(HEAD + "probes_from: {file: d.jsonl, where: {category: b}}\n")
    assert [(p.id, p.answers) for p in suite.probes] == [("row-2", ("7",)), ("row-3", ("true",))]
    beside("d.csv", "question,answer,flag,n\nA?,a,true,1\nB?,b,false,2\n")
    for where in ("{flag: true}", "{n: 1}", "{flag: true, n: 1}"):
        suite = read(HEAD + f"probes_from: {{file: d.csv, where: {where}}}\n")
        assert [p.id for p in suite.probes] == ["row-1"]


def test_a_filter_that_leaves_nothing_or_has_no_column_is_an_error(problems, beside):
    beside("d.jsonl", "\n".join(json.dumps(row) for row in ROWS) + "\n")
    empty = problems(HEAD + "probes_from: {file: d.jsonl, where: {category: z, other: 3}}\n")
    assert "no rows with category: z, other: 3: nothing would be asked" in empty
    unknown = problems(HEAD + "probes_from: {file: d.jsonl, where: {split: a}}\n")
    assert "no column 'split'" in unknown


def test_a_sample_is_seeded_and_stratified(read, beside):
    rows = [{"question": f"q{n}?", "answer": f"a{n}", "category": "ab"[n % 2]} for n in range(40)]
    beside("d.jsonl", "\n".join(map(json.dumps, rows)))
    text = HEAD + "probes_from: {file: d.jsonl, sample: 10, seed: 5}\n"
    suite = read(text)
    assert [probe.category for probe in suite.probes].count("a") == 5
    assert [probe.id for probe in suite.probes] == [probe.id for probe in read(text).probes]


@pytest.mark.parametrize(
    ("name", "data", "source", "message"),
    [
        ("d.csv", "question,answer\nWho?\n", "d.csv", "d.csv:2:1: not as many cells as the heading has: 2"),
        ("d.csv", "question,question\na,b\n", "d.csv", "d.csv:1:1: two columns have the same name"),
        ("d.csv", "question,answer\n", "d.csv", "d.csv:1:1: no rows: nothing would be asked"),
        ("d.csv", "q,answer\nWho?,x\n", "d.csv", "d.csv:2:1: the prompt uses '{question}', which the probe 'row-1' does not have"),
        ("d.csv", "question,answer\nWho?,\n", "d.csv", "d.csv:2:1: the probe 'row-1' needs 'answer'"),
        ("d.jsonl", "{\n", "d.jsonl", "d.jsonl:1:1: not JSON"),
        ("d.jsonl", "[1]\n", "d.jsonl", "d.jsonl:1:1: a line must be a JSON object, saw a list"),
        ("d.jsonl", '{"question": "q", "answer": " "}\n', "d.jsonl", "d.jsonl:1:1: an answer must not be empty"),
        ("d.jsonl", '{"q": "q"}\n', "{file: d.jsonl, fields: {question: qq, answer: q}}", "d.jsonl:1:1: no column 'qq'\n  there are: q"),
        ("d.txt", "x", "d.txt", "4:14: 'd.txt' is none of .csv, .jsonl, .parquet"),
        ("d.csv", "x", "gone.csv", "no such file"),
        ("d.csv", "x", "{file: d.csv, split: test}", "'split' belongs to a 'dataset', not to a 'file'"),
        ("d.csv", "x", "{sample: 3}", "has one of 'file' and 'dataset'"),
        ("d.parquet", "x", "d.parquet", "not Parquet"),
        ("d.csv", "x", "{dataset: no-such-set-here}", "the data set 'no-such-set-here' cannot be loaded (split 'test')"),
    ],
)  # fmt: skip
def test_errors_stand_in_the_data(problems, beside, monkeypatch, name, data, source, message):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    beside(name, data)
    assert message in problems(HEAD + f"probes_from: {source}\n")


def test_many_rows_with_the_same_fault_are_told_once_and_no_more(problems, beside):
    beside("d.csv", "question,answer\n" + "Who?,\n" * 500)
    found = problems(HEAD + "probes_from: d.csv\n")
    assert found.count("needs 'answer'") == 20
    assert "20 problems in its rows; the rest was not read" in found
