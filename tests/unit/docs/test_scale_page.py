"""docs/scale.md: its numbers follow from its formula, the shipped suites, datasheets and what was measured."""

from __future__ import annotations

import pytest

from harness.engine.requests import Generate, MultipleChoice, Plain, RollingLogLikelihood
from tools.docs import scale_tables
from tools.docs.lists import shipped, shipped_suites
from tools.docs.scale_cost import H100, MODELS, SMOLLM2, cost, gpus_of_a_server, most_rows, reading_seconds
from tools.docs.scale_work import TEMPLATE, Work, work_by_kind, work_of

ONE, EIGHT, SEVENTY, FOUR_HUNDRED = MODELS
WORK = Work(
    probes=1000,
    in_full=200_000,
    tree=100_000,
    read=100_000,
    answers=1000,
    written=64_000,
    longest=100,
    context=264,
)

PAGE = """\
# Scale

## 10,000 probes by number of clients

The server computes at most 16 requests at once.

| clients | seconds |
| ------: | ------: |
|       1 |    60.0 |

## Machine

|           |  |
| --------- | -|
| processor | x|
"""


# The work


def words(n: int) -> str:
    return " ".join(map(str, range(n)))


def test_what_prompts_begin_with_is_read_once_where_it_is_written():
    found = work_of([Generate(Plain(f"{words(10)} {end}"), limit) for end, limit in (("a", 16), ("b", 48))])
    assert found.in_full == pytest.approx(1.4 * 22 + 2 * TEMPLATE)
    assert found.tree == found.read == pytest.approx(1.4 * 12 + 2 * TEMPLATE)
    assert (found.probes, found.answers, found.written, found.longest) == (2, 2, 64, 48)
    assert found.context == pytest.approx(found.in_full / 2 + 32)


def test_vllm_reads_every_row_of_a_choice_in_full():
    found = work_of([MultipleChoice(Plain(words(10)), ("a", "b", "c"))])
    assert found.tree == pytest.approx(1.4 * 13 + TEMPLATE)
    assert found.read == found.in_full == pytest.approx(1.4 * 33 + 3 * TEMPLATE)
    assert (found.answers, found.written, found.context) == (0, 0, 0)


def test_a_text_is_read():
    found = work_of([RollingLogLikelihood(words(10))])
    assert found.read == pytest.approx(14 + TEMPLATE)


def test_the_work_of_shipped_suites_is_what_plan_counts():
    works = work_by_kind(shipped_suites()).values()
    whole = sum(works, Work())
    planned = int(shipped().splitlines()[-1].split("|")[-2].replace(",", ""))
    words_alone = whole.tree - TEMPLATE * whole.probes
    assert words_alone + whole.written == pytest.approx(planned, rel=0.01)


def test_more_probes_are_more_of_the_same():
    more = WORK.of(10_000)
    assert (more.probes, more.read, more.written, more.answers) == (10_000, 1e6, 640_000, 10_000)
    assert (more.longest, more.context) == (100, 264)


# The cost


@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        (ONE, 1_235_814_400),
        (EIGHT, 8_030_261_248),
        (SEVENTY, 70_553_706_496),
        (FOUR_HUNDRED, 405_853_388_800),
        (SMOLLM2, 134_515_008),
    ],
)
def test_parameters_are_those_of_the_published_models(shape, parameters):
    assert shape.parameters == parameters


def test_keys_and_values():
    assert EIGHT.of_a_token == 131_072


@pytest.mark.parametrize(("shape", "gpus"), [(ONE, 1), (EIGHT, 1), (SEVENTY, 4), (FOUR_HUNDRED, 16)])
def test_as_few_gpus_as_hold_a_model(shape, gpus):
    assert gpus_of_a_server(shape) == gpus
    assert cost(shape, gpus, WORK).servers == 1
    assert cost(shape, 64, WORK).servers == 64 // gpus
    assert gpus == 1 or cost(shape, gpus // 2, WORK) is None


def test_a_cost_by_hand():
    found = cost(EIGHT, 1, WORK)
    assert found.reading == pytest.approx(2 * 8_030_261_248 * 100_000 / (989e12 * 0.4))
    assert (found.rows, found.steps) == (256, 250)
    assert found.step == pytest.approx((2 * 8_030_261_248 + 256 * 264 * 131_072) / (3.35e12 * 0.6))
    assert found.seconds == pytest.approx(found.reading + 250 * found.step)


def test_memory_limits_answers():
    long = Work(probes=1000, answers=1000, written=64_000, longest=100, context=32_000)
    assert most_rows(EIGHT, long) == int((0.9 * 80e9 - 2 * 8_030_261_248) / (32_000 * 131_072))


def test_products_limit_a_step_of_short_answers():
    short = Work(probes=1000, answers=1000, written=10_000, longest=10, context=1)
    found = cost(FOUR_HUNDRED, 16, short)
    memory = (FOUR_HUNDRED.weights + 256 * FOUR_HUNDRED.of_a_token) / (16 * H100.bandwidth * 0.6)
    products = 2 * FOUR_HUNDRED.parameters * 256 / (16 * H100.peak * 0.4)
    assert found.step == pytest.approx(max(memory, products))


def test_the_longest_answer_is_written_step_by_step():
    found = cost(ONE, 64, WORK)
    assert (found.rows, found.steps) == (16, 100)


# What was measured


def test_utilisation_is_read_from_the_results(tmp_path, monkeypatch):
    path = tmp_path / "RESULTS.md"
    seconds = reading_seconds(SMOLLM2.blocks, 1000, 200e9)
    table = f"|  | asking, s | tokens read |\n|--|--|--|\n| gate, cold | {2 * seconds:.6f} | 1,000 |\n"
    machine = "|  |  |\n|--|--|\n| processor | Some CPU |\n| float32 matrix products, GFLOP/s | 180 / 200 |\n"
    path.write_text(
        f"## choices: some\n\n{table}\n## chat: some\n\n{table}\n## Machine\n\n{machine}", encoding="utf-8"
    )
    monkeypatch.setattr(scale_tables, "RESULTS", path)
    text = scale_tables.measured_reading()
    assert "on Some CPU, whose best measured float32 products are 200 GFLOP/s:" in text
    assert text.count("| 20 % |") == 2


def test_the_table_of_clients_is_shown_once_it_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(scale_tables, "SCALE", tmp_path / "SCALE.md")
    assert scale_tables.measured_clients().startswith(
        "Not measured yet: `make bench-scale ARGUMENTS=--write`"
    )
    (tmp_path / "SCALE.md").write_text(PAGE, encoding="utf-8")
    text = scale_tables.measured_clients()
    assert text.startswith(
        "10,000 probes by number of clients ([benchmarks/SCALE.md](../benchmarks/SCALE.md)"
    )
    assert text.endswith("|       1 |    60.0 |")
