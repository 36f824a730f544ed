"""A model and questions in, an Evaluation out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from pydantic import ValidationError

from harness.api.evaluation import Evaluation, evaluation_of
from harness.api.models import Model, engine_of
from harness.api.suites import check_code, suite_at, without_baseline
from harness.engine.abilities import Templated
from harness.engine.prompts import under
from harness.engine.requests import Engine
from harness.engine.settings import EngineOptions, settings_of_keywords
from harness.errors import EngineError, NoEvidenceError
from harness.evaluation.arguments import check, check_flags, is_whole
from harness.evaluation.ask import ask
from harness.evaluation.prompts import unused_arguments
from harness.scoring import load_scorers
from harness.store.given import digits_of
from harness.suites.questions import Questions, suite_of_questions
from harness.suites.scorer import Scorer


def evaluate_general_qa(
    model: Model,
    tokenizer: Any = None,
    questions: Questions | str | Path | None = None,
    score: str = "contains",
    max_new_tokens: int = 50,
    *,
    allow_code: bool = False,
    allow_outside: bool = False,
    allow_task_code: bool = False,
    **options: Unpack[EngineOptions],
) -> Evaluation:
    """Ask a model questions and count the right answers, overall and by category.

        evaluate_general_qa("./tuned", questions)
        evaluate_general_qa(model, tokenizer, questions)

    A score that is `fluent` takes a baseline to tell, as in `run_gate`; here it is judged without that, with a warning.

    Args:
        model: a reference such as "./tuned", a function from prompt to text, an Engine, or a (model, tokenizer) pair.
        tokenizer: for a model in memory; for any other model, the questions may come second.
        questions: dicts with `question`, `answer` or `correct_answer` (text, or a list of right answers), and optionally
            `category` and `id`; or lists of such dicts by category; or the path of a suite file. The default is the suite
            `general_qa` that ships. Dicts go through the model's chat template if it has one.
        score: for dicts, the score that judges answers.
        max_new_tokens: for dicts, the longest answer.
        allow_code: whether a score may run code in an answer.
        allow_outside: whether a suite may read probes from outside its folder and the working folder.
        allow_task_code: whether Python that comes with a task of lm-evaluation-harness may run, unconfined.
        options: how the model runs (see EngineOptions). A model in memory and an Engine take only `template_arguments`
            and `thinking_tokens`, a function takes none.

    Returns:
        {"correct", "total", "overall_accuracy", "by_category": {name: {"correct", "total", "accuracy"}}}, and the
        evidence that `compare_forgetting` needs, under "evaluation_id", "right", "asked" and "model" (see Evaluation).

    Raises:
        NoEvidenceError: there are no questions, one lacks a question or an answer, or the score cannot judge them.
        ScorerError: a score raised, or would run code without permission.
        SuiteError, ModelError, EngineError: as in a run of pytest.
        HarnessError: an option has an invalid value.
        TypeError: there is no option of that name.
    """
    settings = settings_of_keywords(options, evaluate_general_qa)
    check_flags(allow_code=allow_code, allow_outside=allow_outside, allow_task_code=allow_task_code)
    check("max_new_tokens", max_new_tokens, is_whole(max_new_tokens, 1), "a whole number of at least 1")
    model, questions = _model_and_questions(model, tokenizer, questions)
    if questions is None or isinstance(questions, str | Path):
        suite = suite_at(questions, "general_qa", allow_outside, allow_task_code)
    else:
        suite = suite_of_questions(questions, _scorer(score), max_new_tokens)
    check_code(suite, allow_code)
    engine, row = engine_of(model, settings)
    if suite.path is None and isinstance(engine, Templated) and engine.template_names is None:
        suite = replace(suite, task=replace(suite.task, format="text"))
    suite = under(suite, settings)
    unused_arguments(suite, engine)
    word_order = without_baseline(suite)
    scores = ask(engine, suite, suite.probes, word_order=word_order, allow_code=allow_code).scores
    digits = None if row.weights else digits_of(engine)
    return evaluation_of(suite, scores, str(engine.label), row, digits)


def _model_and_questions(
    model: Model, tokenizer: Any, questions: Questions | str | Path | None
) -> tuple[Model, Questions | str | Path | None]:
    """The model, as a pair if it has a tokenizer, and the questions; raises HarnessError if they are mixed up."""
    if tokenizer is None:
        return model, questions
    if isinstance(tokenizer, str | Path | Iterable):
        if questions is None:
            return model, tokenizer
        raise NoEvidenceError(
            "questions were given twice\n  the score has a name: evaluate_general_qa(model, questions, score='mentions')"
        )
    if not hasattr(model, "generate") or isinstance(model, Engine):
        raise EngineError(
            f"a tokenizer goes with a model in memory, and this one is a {type(model).__name__}\n"
            "  leave it out: evaluate_general_qa(model, questions)"
        )
    return (model, tokenizer), questions


def _scorer(name: str) -> Scorer:
    known = load_scorers()
    if not isinstance(name, str) or name not in known:
        raise NoEvidenceError(f"unknown score '{name}'; there are: {', '.join(sorted(known))}")
    try:
        return known[name]()
    except ValidationError as error:
        raise NoEvidenceError(
            f"the score '{name}' needs parameters\n  write the questions as a suite file, which gives them"
        ) from error
