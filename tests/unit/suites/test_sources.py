from __future__ import annotations

import csv
import gzip
import json
import os
import re
import sys
from datetime import date, datetime
from decimal import Decimal
from importlib.util import find_spec

import pytest

from harness.errors import SuiteError
from harness.limits import MOST_DATA_BYTES
from harness.scoring import SCORERS
from harness.suites.detect import sniff
from harness.suites.read import read_suite

PYARROW, DATASETS = (
    pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not installed")
    for name in ("pyarrow", "datasets")
)

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
    assert "no rows with category: z, other: 3, so there is nothing to ask" in empty
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
        ("d.csv", "question,answer\nWho?\n", "d.csv", "d.csv:2:1: expected 2 cells, as in the heading"),
        ("d.csv", "question,question\na,b\n", "d.csv", "d.csv:1:1: two columns have the same name"),
        ("d.csv", "question,answer\n", "d.csv", "d.csv:1:1: no rows, so there is nothing to ask"),
        ("d.csv", "q,answer\nWho?,x\n", "d.csv", "d.csv:1:1: no column 'question', which the prompt uses\n  there are: q, answer"),
        ("d.csv", "question,answer\nWho?,\n", "d.csv", "d.csv:2:1: the probe 'row-1' needs 'answer'"),
        ("d.jsonl", "{\n", "d.jsonl", "d.jsonl:1:1: not JSON"),
        ("d.jsonl", "[1]\n", "d.jsonl", "d.jsonl:1:1: a line must be a JSON object, saw a list"),
        ("d.jsonl", '{"question": "q", "answer": " "}\n', "d.jsonl", "d.jsonl:1:1: an answer must not be empty"),
        ("d.jsonl", '{"q": "q"}\n', "{file: d.jsonl, fields: {question: qq, answer: q}}", "d.jsonl:1:1: no column 'qq'\n  there are: q"),
        ("d.txt", "x", "d.txt", "4:14: 'd.txt' is not a data file: its name must end in .csv, .tsv, .json, .jsonl, .ndjson, .parquet"),
        ("d.csv", "x", "gone.csv", "no such file"),
        ("d.csv", "x", "{file: d.csv, split: test}", "'split' belongs to a 'dataset', not to a 'file'"),
        ("d.csv", "x", "{sample: 3}", "have one of 'file' and 'dataset'"),
        pytest.param("d.parquet", "x", "d.parquet", "not Parquet", marks=PYARROW),
        pytest.param(
            "d.csv", "x", "{dataset: no-such-set-here}",
            "the data set 'no-such-set-here' cannot be loaded (split 'test')", marks=DATASETS,
        ),
    ],
)  # fmt: skip
def test_errors_stand_in_the_data(problems, beside, monkeypatch, name, data, source, message):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    beside(name, data)
    assert message in problems(HEAD + f"probes_from: {source}\n")


def test_many_rows_with_the_same_fault_are_told_once_and_no_more(problems, beside):
    beside("d.csv", "question,answer\n" + "Who?,\n" * 500)
    found = problems(HEAD + "probes_from: d.csv\n")
    assert found.count("needs 'answer'") == 1
    assert "so in 19 more places: lines 3, 4, 5" in found
    assert "20 problems in its rows; the rest was not read" in found


# Numbers and what has no text


@pytest.mark.parametrize(
    ("written", "answers"),
    [
        ("0.00001", ["0.00001"]), ("1234567890123.0", ["1234567890123.0"]), ("1.50", ["1.50"]), ("1e22", ["1e22"]),
        ("-0", ["-0"]), ("1E400", ["1E400"]), ("123456789012345678901234567890", ["123456789012345678901234567890"]),
        ("12345678901234.5", ["12345678901234.5"]), ("false", ["false"]), ("[1.0, [] , 2]", None),
        ("[1.0, 2]", ["1.0", "2"]), (r'"\ud83d\ude00"', ["😀"]), ('"NaN"', ["NaN"]), ('"null"', ["null"]),
    ],
)  # fmt: skip
def test_numbers_of_json_are_the_text_as_written(read, problems, beside, written, answers):
    beside("d.jsonl", f'{{"question": "Which?", "answer": {written}}}\n')
    if answers is None:
        assert "an answer must be text, saw an empty list" in problems(HEAD + "probes_from: d.jsonl\n")
    else:
        assert list(read(HEAD + "probes_from: d.jsonl\n").probes[0].answers) == answers


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("NaN", "NaN, which is not a number"), ("-Infinity", "infinity, which is not a number"), ("null", "null, which is not text"),
        ('["x", NaN]', "NaN, which is not a number"), ('["x", null]', "null, which is not text"),
        (r'"\ud83d end"', r"half a surrogate pair (\ud83d), which is not a character"),
        pytest.param("[" * 900 + "]" * 900, "lists that are nested too deeply", marks=pytest.mark.skipif(
            sys.version_info >= (3, 12), reason="is read since Python 3.12, and then no text"
        )),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["answer", "question"])
@pytest.mark.parametrize(
    "source", ["d.jsonl", "{file: d.jsonl, fields: {question: question, answer: answer}}"]
)
def test_what_has_no_text_is_refused_at_its_row(problems, beside, value, reason, key, source):
    other = {"answer": "question", "question": "answer"}[key]
    beside("d.jsonl", f'{{"question": "q", "answer": "right"}}\n\n{{"{other}": "x", "{key}": {value}}}\n')
    assert problems(HEAD + f"probes_from: {source}\n") == f"d.jsonl:3:1: the column '{key}' holds {reason}"


@pytest.mark.parametrize("value", ["null", '""'])
@pytest.mark.parametrize("source", ["d.jsonl", "{file: d.jsonl, fields: {question: question, answer: answer, category: category, id: id}}"])  # fmt: skip
def test_an_id_and_a_category_may_be_left_out(read, beside, value, source):
    beside("d.jsonl", f'{{"question": "q", "answer": "right", "category": {value}, "id": {value}}}\n')
    probe = read(HEAD + f"probes_from: {source}\n").probes[0]
    assert (probe.id, probe.category) == ("row-1", None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[" * 100_000, "JSON that is nested too deeply"),
        ('{"answer": ' + "[" * 100_000 + "]" * 100_000 + "}", "JSON that is nested too deeply"),
        ('{"answer": 1, "answer": 2}', "repeated key 'answer'"),
        ('{"answer": ' + "1" * 5000 + "}", "a number of 5000 digits, more than 400"),
    ],
)
def test_json_that_is_not_read(problems, beside, line, message):
    beside("d.jsonl", '{"question": "q", "answer": "right"}\n' + line + "\n")
    assert problems(HEAD + "probes_from: d.jsonl\n") == f"d.jsonl:2:1: {message}"


def test_numbers_of_a_score_stay_numbers(read, beside):
    beside("d.jsonl", '{"question": "q", "answer": 2.50, "score": {"number": {"tolerance": 0.10}}}\n')
    probe = read(HEAD + "probes_from: {file: d.jsonl, fields: {question: question, answer: answer, score: score}}\n").probes[0]  # fmt: skip
    assert probe.answers == ("2.50",)
    assert probe.scorer.right("It is 2.59.", ["2.50"])


def parquet_answers(read, tmp_path, column):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pa.table({"question": [f"q{n}" for n in range(len(column))], "answer": column})
    parquet.write_table(table, tmp_path / "d.Parquet")
    return [probe.answers for probe in read(HEAD + "probes_from: d.Parquet\n").probes]


def test_numbers_of_parquet_are_the_shortest_text(read, tmp_path):
    pa = pytest.importorskip("pyarrow")
    single = [0.00001, 1850.0, 1234567890123.0, 1e22]
    expected = [("0.00001",), ("1850",), ("1234567890123",), ("1" + "0" * 22,)]
    assert parquet_answers(read, tmp_path, pa.array(single)) == expected
    assert parquet_answers(read, tmp_path, pa.array([0.1, 2.5], pa.float32())) == [("0.1",), ("2.5",)]
    nested = pa.array([[0.1, 0.3], [1e-7]], pa.list_(pa.float32()))
    assert parquet_answers(read, tmp_path, nested) == [("0.1", "0.3"), ("0.0000001",)]
    assert parquet_answers(read, tmp_path, pa.array(["x", "y"]).dictionary_encode()) == [("x",), ("y",)]


def test_dates_and_decimals_of_parquet(read, tmp_path):
    assert parquet_answers(read, tmp_path, [date(2024, 5, 1)]) == [("2024-05-01",)]
    assert parquet_answers(read, tmp_path, [datetime(2024, 5, 1)]) == [("2024-05-01",)]
    assert parquet_answers(read, tmp_path, [Decimal("1.50")]) == [("1.50",)]


@pytest.mark.parametrize(
    ("column", "reason"),
    [([1.0, float("nan")], "NaN, which is not a number"), (["x", None], "null, which is not text"),
     ([b"x", b"\xff"], "a value of type bytes, which is not text")],
)  # fmt: skip
def test_cells_of_parquet_without_a_text(problems, tmp_path, column, reason):
    with pytest.raises(SuiteError, match=r"d\.Parquet:\d:1: the column 'answer' holds " + re.escape(reason)):
        parquet_answers(lambda text: read_suite(written_suite(tmp_path, text), SCORERS), tmp_path, column)


def written_suite(folder, text):
    path = folder / "s.yaml"
    path.write_text(text)
    return path


def test_a_small_parquet_file_of_large_cells_is_not_read_to_its_end(problems, tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    cells = pa.DictionaryArray.from_arrays(pa.array([0] * 400_000), pa.array(["x" * 1000]))
    parquet.write_table(pa.table({"question": cells, "answer": cells}), tmp_path / "d.parquet")
    assert (tmp_path / "d.parquet").stat().st_size < 1_000_000
    assert "d.parquet: its cells take more than 256 MB; use a part of it" in problems(HEAD + "probes_from: d.parquet\n")  # fmt: skip


def test_a_data_set_has_the_numbers_of_parquet(read, tmp_path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"question": datasets.Value("string"), "answer": datasets.Value("float32")})
    table = datasets.Dataset.from_dict({"question": ["a", "b"], "answer": [0.1, 1850.0]}, features=features)
    table.save_to_disk(tmp_path / "set")
    suite = read(HEAD + "probes_from: {dataset: set}\n")
    assert [probe.answers for probe in suite.probes] == [("0.1",), ("1850",)]


# Files of all kinds


@pytest.mark.parametrize("name", ["D.CSV", "d.Csv", "D.JSONL", "d.JsonL"])
def test_the_case_of_a_suffix_says_nothing(read, beside, name):
    csv = name.lower().endswith("csv")
    beside(name, "question,answer\nWho?,Ann\n" if csv else '{"question": "Who?", "answer": "Ann"}\n')
    assert read(HEAD + f"probes_from: {name}\n").probes[0].answers == ("Ann",)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_however_lines_end(read, tmp_path, end, mark):
    rows = ["question,answer", "", 'Who?,"Ann', 'Bob"', "", "Why?,so", ""]
    (tmp_path / "d.csv").write_bytes((mark + end.join(rows)).encode())
    found = read(HEAD + "probes_from: d.csv\n").probes
    assert [(probe.answers, probe.span.line) for probe in found] == [((f"Ann{end}Bob",), 3), (("so",), 6)]
    (tmp_path / "d.jsonl").write_bytes((mark + end.join(map(json.dumps, ROWS))).encode())
    assert [probe.span.line for probe in read(HEAD + "probes_from: d.jsonl\n").probes] == [1, 2, 3]


def test_a_long_cell_is_read_and_the_limit_is_left_as_it_was(read, beside):
    limit = csv.field_size_limit()
    beside("d.csv", f'question,answer\n"{"x " * 200_000}",Ann\n')
    assert len(read(HEAD + "probes_from: d.csv\n").probes[0].fields["question"]) == 400_000
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("d.csv", b"q\tanswer\n", "d.csv:1:1: no rows"),
        ("d.csv", b"q, answer ,\nWho?,Ann,x\n", "no column 'question', which the prompt uses\n  there are: q, answer, ''"),
        ("d.csv", b"question,answer\nWho?,Ann,Bob\n",
         'd.csv:2:1: expected 2 cells, as in the heading, saw 3\n  a cell with a comma in it needs quotes: "a, b"'),
        ("d.csv", b'question,answer\nWho?,Ann\nWho?,"Bob\nWhy?,so\n', "d.csv:3:1: not CSV: unexpected end of data"),
        ("d.csv", b"question,answer\nWho?,\x81\n", "d.csv:2:6: not UTF-8 text: saw byte 0x81"),
        ("d.csv", b"question,answer\nWho?,\xe9\x00\n", "d.csv:2:6: not UTF-8 text: saw byte 0xe9"),
        ("d.xlsx", b"PK", "4:14: 'd.xlsx' is a spreadsheet: save it as CSV"),
        ("d.csv", b"question|answer\nWho?|Ann\n", "there is only 'question|answer'; are columns separated by '|'?"),
        ("d.csv", b"question;answer\nWho?;Ann;Bob\n",
         'd.csv:2:1: expected 2 cells, as in the heading, saw 3\n  a cell with a semicolon in it needs quotes: "a; b"'),
        ("d.csv", b"question,answer\nWho?,Ann |\n", "d.csv:2:1: an answer must not be empty"),
        ("d.csv", b"question,answer,,\nWho?,Ann,x,y\n", "d.csv:1:1: two columns have no name\n  there are: question, answer, ''"),
        ("d.json", b'[{"question": "q", "answer": "a"}, 7]', "d.json:1:36: an item must be a JSON object, saw 7"),
        ("d.json", b'[{"question": "q", "answer": "a"}\n', "d.json:1:1: not JSON: the list is not closed"),
        ("d.json", b'[{"question": "q"},\n {"answer": }]', "d.json:2:13: not JSON: Expecting value"),
        ("d.jsonl", '{"question": "é"}\n'.encode("latin-1"), "d.jsonl:1:15: not UTF-8 text: saw byte 0xe9"),
        ("d.jsonl", gzip.compress(b"{}", mtime=0), "d.jsonl:1:1: not text: it is packed (gzip)\n  unpack it first"),
        ("d.jsonl.gz", gzip.compress(b"{}", mtime=0), "4:14: 'd.jsonl.gz' is packed: unpack it first"),
        pytest.param("d.parquet", gzip.compress(b"{}", mtime=0), "d.parquet: not Parquet", marks=PYARROW),
    ],
)  # fmt: skip
def test_files_that_are_something_else(problems, tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    assert message in problems(HEAD + f"probes_from: {name}\n")


@pytest.mark.parametrize("name", ["d.csv", "d.jsonl", pytest.param("d.parquet", marks=PYARROW)])
def test_pipes_and_folders_are_not_read(problems, tmp_path, name):
    os.mkfifo(tmp_path / name)
    text = HEAD + f"probes_from: {name}\n"
    assert f"{name}: cannot be read: it is a pipe or a device, not a file" in problems(text)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    assert f"{name}: cannot be read: Is a directory" in problems(text)


def test_a_suite_that_is_a_pipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("s.yaml")
    with pytest.raises(SuiteError, match=r"s\.yaml: cannot be read: it is a pipe or a device, not a file"):
        read_suite(tmp_path / "s.yaml", SCORERS)
    assert sniff(tmp_path / "s.yaml").kind == "nearly"


def test_large_files_are_not_read(problems, tmp_path):
    with (tmp_path / "d.csv").open("wb") as file:
        file.truncate(MOST_DATA_BYTES + 1)
    assert "d.csv: cannot be read: it is larger than 64 MB; use a part of it" in problems(
        HEAD + "probes_from: d.csv\n"
    )


def test_more_rows_than_there_may_be(problems, beside, monkeypatch):
    monkeypatch.setattr("harness.suites.source.MOST_ROWS", 2)
    beside("d.jsonl", "\n".join(map(json.dumps, ROWS)))
    assert "d.jsonl:1:1: more than 2 rows; use a part of the data" in problems(
        HEAD + "probes_from: d.jsonl\n"
    )


def test_rows_with_the_same_fault_are_told_up_to_a_number(problems, beside):
    beside("d.jsonl", '{"question": "q", "answer": null}\n' * 5000)
    told = problems(HEAD + "probes_from: d.jsonl\n")
    assert told.count("holds null") == 20
    assert "20 problems in the rows; the rest was not read" in told


# Data as people have them


def guessed(read, tmp_path, name, data):
    (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    suite = read(HEAD + f"probes_from: {name}\n")
    return [(probe.fields["question"], *probe.answers) for probe in suite.probes], list(suite.notes)


SEMICOLONS = "d.csv: its columns are separated by semicolons"
BARS = "d.csv: a | in a cell separates right answers (30 or thirty); write \\| for a bar itself"


@pytest.mark.parametrize(
    ("data", "rows", "notes"),
    [
        ("question;answer\nWho, now?;Ann\n", [("Who, now?", "Ann")], [SEMICOLONS]),
        ("question;answer, in short\n;answer\nWho?;Ann;x\n", None, None),
        ("id;question;answer;in, so, many\na;Who?;Ann;x\n", [("Who?", "Ann")], [SEMICOLONS]),
        ("question\tanswer\nWho, now?\tAnn\n", [("Who, now?", "Ann")], ["d.csv: its columns are separated by tabs"]),
        ("sep=;\r\nquestion;answer\r\nWho?;Ann\r\n", [("Who?", "Ann")], [SEMICOLONS]),
        ("QUESTION, Answer\nWho?, Ann\n", [("Who?", "Ann")], ["d.csv: took the column 'Answer' as 'answer', 'QUESTION' as 'question'"]),
        (" question , answer \nWho?,Ann\n", [("Who?", "Ann")], []),
        ('question, answer\n"Who, now?", "Ann"\n', [("Who, now?", "Ann")], []),
        ("question,answer,,\nWho?,Ann,,\n,,,\n", [("Who?", "Ann")], []),
        ("question,answer\nWho?,Ann,,\n", [("Who?", "Ann")], []),
        (",question,answer\n0,Who?,Ann\n", [("Who?", "Ann")], []),
        ("question,answer\nHow many?,30|thirty\n", [("How many?", "30", "thirty")], [BARS]),
        ("question,answer\nHow many?,30 | thirty\n", [("How many?", "30", "thirty")], [BARS]),
        ("question,answer\nWhich?,a\\|b\n", [("Which?", "a|b")], []),
        ("question,answer\nWhich?,a\\|b|c\n", [("Which?", "a|b", "c")], ["d.csv: a | in a cell separates right answers (a|b or c); write \\| for a bar itself"]),
        ("\ufeffquestion,answer\nWho?,Ann\n", [("Who?", "Ann")], []),
        ("question,answer\nWo?,Köln\n".encode("cp1252"), [("Wo?", "Köln")], ["d.csv: it is not UTF-8, and was read as Windows-1252"]),
        ("question\tanswer\nWo?\tKöln\n".encode("utf-16"), [("Wo?", "Köln")],
         ["d.csv: it is not UTF-8, and was read as UTF-16", "d.csv: its columns are separated by tabs"]),
    ],
)  # fmt: skip
def test_csv_as_people_save_it(read, tmp_path, data, rows, notes):
    if rows is None:
        with pytest.raises(SuiteError):
            guessed(read, tmp_path, "d.csv", data)
    else:
        assert guessed(read, tmp_path, "d.csv", data) == (rows, notes)


@pytest.mark.parametrize(
    ("name", "data", "notes"),
    [
        ("d.tsv", "question\tanswer\nWho?\tAnn\n", []),
        ("d.ndjson", '{"question": "Who?", "answer": "Ann"}\n', []),
        ("d.json", '[\n {"question": "Who?", "answer": "Ann"}\n]\n', []),
        ("d.json", '{"question": "Who?", "answer": "Ann"}\n', []),
        ("d.jsonl", '{"Question": "Who?", "answer": "Ann"}\n', ["d.jsonl: took the column 'Question' as 'question'"]),
    ],
)  # fmt: skip
def test_files_of_other_names(read, tmp_path, name, data, notes):
    assert guessed(read, tmp_path, name, data) == ([("Who?", "Ann")], notes)


def test_the_places_of_a_list_of_json(read, beside):
    beside("d.json", '[{"question": "a", "answer": "b"},\n\n  {"question": "c", "answer": "d"}]')
    found = [(probe.span.line, probe.span.column) for probe in read(HEAD + "probes_from: d.json\n").probes]
    assert found == [(1, 2), (3, 3)]


def test_a_bar_is_part_of_a_pattern_and_of_json(read, beside):
    beside("d.csv", "question,answer\nWho?,(a|b)c\n")
    assert read(HEAD.replace("contains", "regex") + "probes_from: d.csv\n").probes[0].answers == ("(a|b)c",)


def test_choices_in_a_cell(read, beside):
    beside("d.csv", "question,choices,answer\nWhich?,red|blue,blue\n")
    probe = read(CHOOSE + "probes_from: d.csv\n").probes[0]
    assert (probe.choices, probe.answers) == (("red", "blue"), ("blue",))


@pytest.mark.parametrize(
    ("head", "source", "data", "message"),
    [
        (HEAD, "d.csv", "frage,antwort",
         "d.csv:1:1: no column 'question', which the prompt uses\n  there are: frage, antwort; say which they are under "
         "'probes_from': fields: {question: COLUMN, answer: COLUMN}"),
        (HEAD, "d.csv", "question,reply",
         "d.csv:1:1: no column 'answer', which the score 'contains' compares with\n  there are: question, reply; say which "
         "one it is under 'fields' of 'probes_from': {answer: COLUMN}"),
        (HEAD, "{file: d.csv, fields: {question: q}}", "q,a",
         "d.csv:1:1: no column 'answer', which the score 'contains' compares with\n  there are: q, a; say which "
         "one it is under 'fields' of 'probes_from': {answer: COLUMN}"),
        (HEAD, "{file: d.csv, fields: {answer: a}}", "q,a",
         "4:1: 'fields' of 'probes_from' has no 'question', which the prompt uses\n"
         "  add it: question: COLUMN; there are: q, a"),
        (CHOOSE, "d.csv", "question,answer",
         "d.csv:1:1: no column 'choices', which 'answer: choose' needs\n  there are: question, answer; say which one it is under "
         "'fields' of 'probes_from': {choices: COLUMN}"),
    ],
)  # fmt: skip
def test_a_column_that_is_missing_is_one_problem(problems, beside, head, source, data, message):
    beside("d.csv", f"{data}\n" + "Who?,Ann\n" * 30)
    assert problems(f"{head}probes_from: {source}\n") == message


def test_a_split_that_is_missing(problems, tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.DatasetDict({"train": datasets.Dataset.from_list(ROWS[:1])}).save_to_disk(tmp_path / "set")
    assert "'set' has no split 'test'\n  'split' is one of: train" in problems(
        HEAD + "probes_from: {dataset: set}\n"
    )
