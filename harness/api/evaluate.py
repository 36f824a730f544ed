"""A model and questions in, an Evaluation out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from pydantic import ValidationError

from harness.api.evaluation import Evaluation, evaluation_of
from harness.api.models import Model, engine_of
from harness.api.suites import check_code, suite_at
from harness.engine.abilities import Templated
from harness.engine.keywords import EngineOptions, settings_of_keywords
from harness.engine.prompts import under
from harness.engine.requests import Engine
from harness.errors import EngineError, NoEvidenceError
from harness.evaluation.ask import ask
from harness.evaluation.prompts import unused_arguments
from harness.scoring import load_scorers
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
    **options: Unpack[EngineOptions],
) -> Evaluation:
    """Ask a model questions and count the right answers, overall and by category.

        evaluate_general_qa("./tuned", questions)
        evaluate_general_qa(model, tokenizer, questions)

    Args:
        model: a reference such as "./tuned", a function from prompt to text, an Engine, or a (model, tokenizer) pair.
        tokenizer: that of a model in memory; for any other the questions may stand in its place.
        questions: dicts with `question`, `answer` or `correct_answer` (text, or a list of which any is right) and perhaps
            `category` and `id`; or lists of such dicts by category; or the path of a suite file; without it, the suite
            `general_qa` that ships. Dicts are asked through the chat template, or as they are where the model has none.
        score: for dicts, the score by which an answer is right.
        max_new_tokens: for dicts, the longest answer.
        allow_code: whether a score may run code that stands in an answer.
        allow_outside: whether a suite may take its probes from outside its folder and the working folder.
        options: how the model runs (see EngineOptions); of a model that is no reference, `template_arguments` and
            `thinking_tokens` alone, and of a function none.

    Returns:
        {"correct", "total", "overall_accuracy", "by_category": {name: {"correct", "total", "accuracy"}}}, and the
        evidence that `compare_forgetting` needs, under "evaluation_id", "right", "asked" and "model" (see Evaluation).

    Raises:
        NoEvidenceError: there are no questions, one has no question or answer, or the score cannot judge them.
        ScorerError: a score broke, or runs code and may not.
        SuiteError, ModelError, EngineError: as in a run of pytest.
        HarnessError: an option has no value that it may have.
        TypeError: an option of that name does not exist.
    """
    settings = settings_of_keywords(options, evaluate_general_qa)
    model, questions = _model_and_questions(model, tokenizer, questions)
    if questions is None or isinstance(questions, str | Path):
        suite = suite_at(questions, "general_qa", allow_outside)
    else:
        suite = suite_of_questions(questions, _scorer(score), max_new_tokens)
    check_code(suite, allow_code)
    engine, who = engine_of(model, settings)
    if suite.path is None and _has_no_template(engine):
        suite = replace(suite, task=replace(suite.task, format="text"))
    suite = under(suite, settings)
    unused_arguments(suite, engine)
    return evaluation_of(suite, ask(engine, suite, suite.probes, allow_code=allow_code).scores, who)


def _model_and_questions(
    model: Model, tokenizer: Any, questions: Questions | str | Path | None
) -> tuple[Model, Questions | str | Path | None]:
    """What was given first, with its tokenizer if there is one, and what is asked; raises HarnessError for neither."""
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


def _has_no_template(engine: Engine) -> bool:
    """Whether its tokenizer is known to have no chat template."""
    return isinstance(engine, Templated) and engine.template_names is None


def _scorer(name: str) -> Scorer:
    known = load_scorers()
    if name not in known:
        raise NoEvidenceError(f"unknown score '{name}'; there are: {', '.join(sorted(known))}")
    try:
        return known[name]()
    except ValidationError as error:
        raise NoEvidenceError(
            f"the score '{name}' needs parameters\n  write the questions as a suite file, which gives them"
        ) from error
