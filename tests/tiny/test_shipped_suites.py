"""Every shipped suite on a tiny model: branching answers as single rows do."""

from __future__ import annotations

import pytest

from harness.engine.transformers.loading import wrap
from tests.support.ways import SUITES, check_ways, requests_of


@pytest.fixture(scope="module")
def engine(reference):
    model, tokenizer = reference
    engine = wrap(model, tokenizer)
    engine.context = engine.prompting.context = None
    return engine


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_branching_answers_as_single_rows_do(engine, path):
    check_ways(engine, requests_of(path, 2000))
