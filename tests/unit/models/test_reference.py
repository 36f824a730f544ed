"""What a user calls a model, found on this disk or on a hub that is not asked for real."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from harness.errors import ModelError
from harness.models.embedded import embedded_folder
from harness.models.folder import NOTHING, find_folder
from harness.models.reference import (
    ITSELF,
    Adapter,
    Endpoint,
    FullModel,
    RecipeFile,
    by_form,
    find_full_model,
    find_pair,
    resolve,
)
from harness.spelling import on_command_line
from tests.support.references import adapter, model, model_error

# folders


def test_two_full_models(here):
    base, tuned = model("base"), model("tuned")
    pair = find_pair("./tuned", "./base")
    assert pair.tuned == FullModel("./tuned", tuned)
    assert pair.baseline == FullModel("./base", base)
    assert pair.notes == ()


def test_a_model_is_held_against_itself_on_purpose_only(here):
    model("tuned")
    pair = find_pair("./tuned", "same")
    assert pair.baseline is pair.tuned
    assert pair.notes == (ITSELF,)


def test_an_adapter_is_held_against_itself_on_purpose_too(here):
    model("base")
    adapter("lora", "./base")
    pair = find_pair("lora", "same")
    assert pair.baseline is pair.tuned
    assert isinstance(pair.tuned, Adapter)


@pytest.mark.parametrize(
    "spelling", ["./tuned", "tuned", "./tuned/", "link", "~/tuned", "{here}/tuned", "./link/../tuned"]
)
def test_the_same_folder_in_any_spelling_is_no_baseline(here, monkeypatch, spelling):
    monkeypatch.setenv("HOME", str(here))
    folder = model("tuned")
    (here / "link").symlink_to(folder)
    baseline = spelling.format(here=here)
    with model_error(
        f"./tuned: would be compared with itself: --baseline={baseline} is the same folder, {folder}\n"
        "  name the model before tuning: --baseline=PATH_OR_HUB_ID; or, to measure noise: --baseline=same"
    ):
        find_pair("./tuned", baseline)


@pytest.mark.parametrize("base", [".", "./", "../tuned", "{here}/models/tuned"])
def test_a_card_that_names_its_own_model_names_no_baseline(here, base):
    folder = model("models/tuned", card=f"---\nbase_model: {base.format(here=here)}\n---\n")
    with pytest.raises(ModelError, match="would be compared with itself: its model card names") as caught:
        find_pair("models/tuned", None)
    assert str(folder) in str(caught.value)


def test_a_folder_in_the_home(here, monkeypatch):
    monkeypatch.setenv("HOME", str(here))
    assert find_folder("~/tuned" if model("tuned") else "") == here / "tuned"


def test_an_adapter_names_its_baseline(here):
    base, tuned = model("base"), adapter("lora", str(here / "base"))
    pair = find_pair("lora", None)
    assert pair.tuned == Adapter("lora", tuned, FullModel(str(base), base))
    assert pair.baseline == FullModel(str(base), base)


@pytest.mark.parametrize("named", ["./base", "base", "./lora/../base"])
def test_a_relative_base_is_meant_from_where_the_user_is(here, named):
    base = model("base")
    adapter("lora", named)
    assert find_pair("lora", None).baseline == FullModel(named, base)


@pytest.mark.parametrize("named", ["../base", "./../base"])
def test_a_relative_base_is_meant_from_the_adapter_too(here, named):
    base = model("models/base")
    adapter("models/lora", named)
    assert find_pair("models/lora", None).baseline.folder == base


@pytest.mark.parametrize("named", ["./base", "base"])
def test_a_relative_base_that_means_two_models_is_refused(here, named):
    base = model("base")
    folder, beside = adapter("lora", named), model("lora/base")
    with model_error(
        f"{folder}: its base '{named}' may be {base} (from the working folder) or {beside} (from the model's)\n"
        "  name it: --baseline=PATH_OR_HUB_ID"
    ):
        find_pair("lora", None)
    assert find_pair("lora", "base").tuned == Adapter("lora", folder, FullModel("base", base))


def test_a_base_of_a_revision_is_the_one_that_the_adapter_was_trained_on(hub, here):
    folder = adapter("lora", "org/base")
    config = {"base_model_name_or_path": "org/base", "revision": "abc123"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    assert find_pair("lora", None).baseline.name == "org/base@abc123"
    assert ("org/base", "abc123") in hub


def test_an_adapter_against_another_adapter(here):
    base = model("base")
    adapter("one", "./base")
    two = adapter("two", "./base")
    pair = find_pair("one", "two")
    assert pair.baseline == Adapter("two", two, FullModel("./base", base))


def test_an_adapter_against_another_full_model(here):
    model("base")
    other = model("other")
    adapter("lora", "./base")
    pair = find_pair("lora", "other")
    assert pair.baseline == FullModel("other", other)
    assert isinstance(pair.tuned, Adapter)
    assert pair.tuned.base.folder == here / "base"


def test_an_adapter_whose_base_is_gone_is_put_on_the_baseline(here):
    model("base")
    adapter("lora", "./gone")
    pair = find_pair("lora", "base")
    assert pair.baseline.folder == here / "base"
    assert [on_command_line(note) for note in pair.notes] == [
        "the adapter names the base './gone', which cannot be found; it was applied to --baseline=base"
    ]


@pytest.mark.parametrize("baseline", [None, "other"])
def test_an_adapter_whose_base_is_gone(here, baseline):
    adapter("lora", "./gone")
    adapter("other", "./gone")
    with model_error(
        "lora: the adapter's base model './gone' (from adapter_config.json) cannot be found\n"
        "  name it: --baseline=PATH_OR_HUB_ID\n"
        "  ./gone: no such folder\n  a hub id has the form org/name or org/name@revision"
    ):
        find_pair("lora", baseline)


@pytest.mark.parametrize("base", [None, "", 3])
def test_an_adapter_that_names_no_base(here, base):
    folder = adapter("lora", base)
    with model_error(
        f"{folder}/adapter_config.json: names no base_model_name_or_path\n  name it: --baseline=PATH_OR_HUB_ID"
    ):
        find_pair("lora", None)


def test_an_adapter_that_names_no_base_is_put_on_the_baseline(here):
    base = model("base")
    adapter("lora", None)
    pair = find_pair("lora", "base")
    assert pair.baseline == FullModel("base", base)
    assert [on_command_line(note) for note in pair.notes] == [
        "the adapter names no base; it was applied to --baseline=base"
    ]


def test_an_adapter_over_an_adapter(here):
    adapter("one", "./base")
    adapter("two", "./one")
    with model_error(
        "two: the adapter's base model './one' (from adapter_config.json) cannot be found\n"
        "  name it: --baseline=PATH_OR_HUB_ID\n  ./one: is an adapter, but a full model is needed here\n"
        "  if it is the base of another adapter: merge it into its own base and save that (merge_and_unload)"
    ):
        find_pair("two", None)


# the model card


@pytest.mark.parametrize(
    "card",
    [
        "---\nbase_model: ./base\n---\n# Tuned\n",
        "---\nlicense: mit\nbase_model:\n- ./base\n---\n",
        "\n---\nbase_model: ./base\n---\ntext --- more\n",
        "---\nbase_model: [./base, ./base]\n---\n",
        "---\nbase_model: # the one\n  - ./base\nlicense: mit\n---\n",
        "---\ntags: [a]\nbase_model:\n    './base'\n---\n",
        "\ufeff---\r\nbase_model: ./base\r\n---\r\n",
        "---\ndate: 2024-99-99\nbase_model: ./base\n---\n",
        "---\nmodel-index: [}\n'base_model': ./base\n---\n",
        "---\na: &a [x]\nb: &b {<<: [*a, *a]}\nbase_model: ./base\n---\n",
    ],
    ids=[
        "text",
        "list",
        "dashes later",
        "twice",
        "comment",
        "below",
        "windows",
        "a date that is none",
        "broken",
        "aliases",
    ],
)
def test_the_model_card_names_the_baseline(here, card):
    base = model("base")
    model("tuned", card=card)
    assert find_pair("tuned", None).baseline == FullModel("./base", base)


def test_a_base_model_beside_the_card(here):
    base = model("models/base")
    model("models/tuned", card="---\nbase_model: ../base\n---\n")
    assert find_pair("models/tuned", None).baseline.folder == base


def test_baseline_goes_before_the_card(here):
    model("base")
    model("tuned", card="---\nbase_model: ./gone\n---\n")
    assert find_pair("tuned", "base").baseline.folder == here / "base"


@pytest.mark.parametrize(
    "card",
    [
        None,
        "# Tuned\n",
        "# Tuned\n---\nbase_model: ./base\n---\n",
        "---\nlicense: mit\n---\n",
        "---\nbase_model:\n---\n",
        "---\nbase_model: []\n---\n",
        "---\nbase_model_name: ./base\n---\n",
        "---\nx:\n  base_model: ./base\n---\n",
        "---\n- a\n---\n",
        "\x00\x01\x02",
        "---\nbase_model: ./base\n",
        "---\nx: !!python/name:os.system\n---\n",
    ],
)
def test_no_baseline(here, card):
    model("tuned", card=card)
    with model_error(
        "tuned: no baseline to compare with: it is a full model, and its model card (README.md) names no base_model\n"
        "  name it: --baseline=PATH_OR_HUB_ID"
    ):
        find_pair("tuned", None)


@pytest.mark.parametrize(
    ("bases", "shown"),
    [
        (["./base", "./other"], "2 base models: './base', './other'"),
        (list("abcdef"), "6 base models: 'a', 'b', 'c', 'd', ..."),
    ],
)
def test_several_base_models_are_no_baseline(here, bases, shown):
    model("base")
    model("merged", card=f"---\nbase_model: {json.dumps(bases)}\ntags: [merge]\n---\n")
    with model_error(
        "merged: no baseline to compare with: it is a full model, and its model card (README.md) names "
        f"{shown}\n  name it: --baseline=PATH_OR_HUB_ID"
    ):
        find_pair("merged", None)
    assert find_pair("merged", "base").baseline.name == "base"


def test_mergekit_says_which_of_them_is_the_base(here):
    folder = model("merged", card="---\nbase_model: [a, b]\n---\n")
    (folder / "mergekit_config.yml").write_text("merge_method: ties\nbase_model: a\nmodels:\n- model: b\n")
    with pytest.raises(ModelError, match=r"baseline=PATH_OR_HUB_ID; mergekit_config.yml names 'a'\Z"):
        find_pair("merged", None)


@pytest.mark.parametrize("above", ["adapter", "card"])
def test_what_the_folder_above_names_is_said(here, above):
    if above == "adapter":
        adapter("run", "./base")
    else:
        model("run", card="---\nbase_model: ./base\n---\n")
    model("run/merged")
    with pytest.raises(
        ModelError, match=r"names no base_model\n  name it: .*; the folder above, run, names './base'\Z"
    ):
        find_pair("run/merged", None)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("3", "must be the name of a model, or a list of names, saw 3"),
        ("{a: b}", "must be the name of a model, or a list of names, saw {'a': 'b'}"),
        ("[a, 3]", "must be the name of a model, or a list of names, saw ['a', 3]"),
        ("[", "cannot be read as YAML: 'base_model: ['\n  expected a name, or a list of names"),
        (
            "!!python/name:os.system",
            "cannot be read as YAML: 'base_model: !!python/name:os.system'\n  expected",
        ),
        ("&a [b, *a]", "cannot be read as YAML: 'base_model: &a [b, *a]'\n  expected"),
        ("[" * 9000, "cannot be read as YAML: 'base_model: [[[["),
        ("x" * 20_000, "cannot be read as YAML: 'base_model: xxxx"),
        ("2024-99-99", "cannot be read as YAML"),
    ],
    ids=["number", "mapping", "list", "broken", "python", "alias", "nested", "long", "date"],
)
def test_a_base_model_that_is_no_name(here, value, message):
    folder = model("tuned", card=f"---\nbase_model: {value}\n---\n")
    with pytest.raises(ModelError, match=rf"\A{re.escape(f'{folder}/README.md: its base_model {message}')}"):
        find_pair("tuned", None)


def test_a_base_model_of_the_card_that_is_gone(here):
    model("tuned", card="---\nbase_model: ./gone\n---\n")
    with model_error(
        "tuned: the base_model './gone' of its model card cannot be found\n"
        "  name it: --baseline=PATH_OR_HUB_ID\n"
        "  ./gone: no such folder\n  a hub id has the form org/name or org/name@revision"
    ):
        find_pair("tuned", None)


def test_a_baseline_that_is_gone_is_not_blamed_on_the_card(here):
    model("tuned", card="---\nbase_model: ./base\n---\n")
    with model_error("./gone: no such folder\n  a hub id has the form org/name or org/name@revision"):
        find_pair("tuned", "./gone")


# the hub


@pytest.fixture
def hub(here: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """A hub that has every model; what it was asked for."""
    asked: list[tuple[str, str | None]] = []

    def download(
        repo: str, *, revision: str | None, allow_patterns: list[str], ignore_patterns: list[str]
    ) -> str:
        asked.append((repo, revision))
        assert not any(pattern.endswith((".bin", ".py", ".tiktoken", "*")) for pattern in allow_patterns)
        assert "*.gguf" in ignore_patterns
        folder = here / "hub" / repo
        return str(folder if folder.is_dir() else model(str(folder)))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return asked


@pytest.mark.parametrize(
    ("reference", "repo", "revision"),
    [
        ("org/name", "org/name", None),
        ("org/name@v1.0", "org/name", "v1.0"),
        ("org/name@refs/pr/7", "org/name", "refs/pr/7"),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", "HuggingFaceTB/SmolLM2-135M-Instruct", None),
        ("0rg/na.me_x", "0rg/na.me_x", None),
    ],
)
def test_a_hub_id(hub, here, reference, repo, revision):
    assert find_full_model(reference) == FullModel(reference, here / "hub" / repo)
    assert set(hub) == {(repo, revision)}


def test_a_folder_goes_before_a_hub_id(here):
    folder = model("org/name")
    assert find_folder("org/name") == folder


def test_an_adapters_base_on_the_hub(hub, here):
    adapter("lora", "org/base")
    assert find_pair("lora", None).baseline.name == "org/base"


NOT_FOUND = "no such folder, and the hub did not return a model of that name"


NOT_REACHED = "no such folder, it was not downloaded before, and the hub cannot be reached"


GONE = SimpleNamespace(headers={}, request=None)


@pytest.mark.parametrize(
    ("error", "reason", "line"),
    [
        (
            RepositoryNotFoundError("404 Client Error.\nRepository Not Found.", response=GONE),
            "no such folder, and no such model on the hub\n"
            "  is it spelled right? a private one needs a login: hf auth login, or HF_TOKEN",
            "RepositoryNotFoundError: 404 Client Error.",
        ),
        (
            GatedRepoError("403 Client Error.\nAccess is restricted.", response=GONE),
            "access on the hub is restricted\n"
            "  ask for access at https://huggingface.co/org/name, and log in: hf auth login, or HF_TOKEN",
            "GatedRepoError: 403 Client Error.",
        ),
        (
            RevisionNotFoundError("404 Client Error.", response=GONE),
            "the hub has the model, but no revision 'v2'",
            "RevisionNotFoundError: 404 Client Error.",
        ),
        (LocalEntryNotFoundError("no cache"), NOT_REACHED, "LocalEntryNotFoundError: no cache"),
        (OfflineModeIsEnabled("offline"), NOT_REACHED, "OfflineModeIsEnabled: offline"),
        (ConnectionError("down"), NOT_REACHED, "ConnectionError: down"),
        (TimeoutError("slow"), NOT_REACHED, "TimeoutError: slow"),
        (
            HFValidationError("bad id"),
            "no such folder, and not a hub id",
            "HFValidationError: bad id",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "cannot be kept in /hub: the disk is full\n  make room there, or name another folder: HF_HUB_CACHE=FOLDER",
            "OSError: [Errno 28] No space left on device",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "cannot be kept in /hub: it may not be written\n  name another folder: HF_HUB_CACHE=FOLDER",
            "PermissionError: [Errno 13] Permission denied",
        ),
        (OSError(), NOT_FOUND, "OSError: "),
        (OSError("x" * 300), NOT_FOUND, "OSError: " + "x" * 200),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_hub_that_gives_nothing(here, monkeypatch, error, reason, line):
    def download(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", "/hub")
    with model_error(f"org/name@v2: {reason}\n  {line}"):
        find_folder("org/name@v2")


# the embedded model and fixtures


def test_the_embedded_model_need_not_be_there_yet(here):
    found = find_full_model("embedded")
    assert found == FullModel("SmolLM2-135M-Instruct", embedded_folder(), embedded=True)
    assert here / "cache" in found.folder.parents
    assert find_full_model(str(embedded_folder())) == found
    adapter("lora", "embedded")
    assert find_pair("lora", None).baseline == found


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("fixtures/lora.yaml", RecipeFile(Path("fixtures/lora.yaml"))),
        ("lora.yml", RecipeFile(Path("lora.yml"))),
        ("L.YAML", RecipeFile(Path("L.YAML"))),
        ("fake:careless", Endpoint("fake", "careless")),
        ("fake:", Endpoint("fake", "")),
        ("fake:a:b/c.yaml", Endpoint("fake", "a:b/c.yaml")),
        ("fake:" + "x" * 5000, Endpoint("fake", "x" * 5000)),
        ("fake:\0", Endpoint("fake", "\0")),
        ("tuned.Q4_K_M.gguf", Endpoint("gguf", "tuned.Q4_K_M.gguf")),
        ("~/M.GGUF", Endpoint("gguf", "~/M.GGUF")),
        ("gguf:./m", Endpoint("gguf", "./m")),
        ("fake:m.gguf", Endpoint("fake", "m.gguf")),
        ("other:x.yaml", RecipeFile(Path("other:x.yaml"))),
        ("fake", None),
        ("Fake:x", None),
        ("./fake:x", None),
        ("C:\\models\\tuned", None),
        ("./tuned", None),
        ("org/name", None),
    ],
)
def test_what_a_reference_names_by_its_form(reference, found):
    assert by_form(reference, {"fake", "gguf"}) == found


def test_a_folder_is_no_endpoint(here):
    model("fake:tuned")
    assert resolve("fake:tuned", {"fake"}) == FullModel("fake:tuned", here / "fake:tuned")


def test_what_a_reference_names(here):
    base = model("base")
    folder = adapter("lora", "./base")
    assert resolve("base") == FullModel("base", base)
    assert resolve("lora") == Adapter("lora", folder, FullModel("./base", base))
    assert resolve("r.yaml") == RecipeFile(Path("r.yaml"))
    assert resolve("fake:x", {"fake"}).name == "fake:x"
    assert resolve("./m.gguf", {"gguf"}).name == "./m.gguf"


@pytest.mark.parametrize(
    ("reference", "schemes", "hint"),
    [
        ("fakr:x", ("fake",), "did you mean 'fake'?"),
        ("nope:x", ("ollama", "fake"), "there are: fake, ollama"),
        ("nope:x", (), "register one in a conftest.py, with @engine_for('nope')"),
        (
            "https://huggingface.co/org/name",
            (),
            "register one in a conftest.py, with @engine_for('https')",
        ),
    ],
)
def test_a_scheme_that_no_engine_answers_for(here, reference, schemes, hint):
    scheme = reference.partition(":")[0]
    message = (
        f"{reference}: no such folder, and no engine for '{scheme}:'\n"
        f"  {hint}; a hub id has the form org/name or org/name@revision"
    )
    for find in (lambda: resolve(reference, schemes), lambda: find_pair(reference, None, NOTHING, schemes)):
        with model_error(message):
            find()


def test_an_endpoint_is_held_against_anything(here):
    model("base")
    adapter("lora", "./base")
    adapter("lost", "./gone")
    fake, other = Endpoint("fake", "x"), Endpoint("fake", "y")
    assert find_pair("fake:x", "fake:y", NOTHING, {"fake"}).of("baseline") == other
    assert find_pair("fake:x", "base", NOTHING, {"fake"}).tuned == fake
    assert find_pair("lora", "fake:x", NOTHING, {"fake"}).baseline == fake
    with model_error(
        "fake:x: would be compared with itself: --baseline=fake:x is the same model\n"
        "  name the model before tuning: --baseline=PATH_OR_HUB_ID; or, to measure noise: --baseline=same"
    ):
        find_pair("fake:x", "fake:x", NOTHING, {"fake"})
    same = find_pair("fake:x", "same", NOTHING, {"fake"})
    assert same.baseline is same.tuned
    assert same.notes == (ITSELF,)
    with model_error(
        "lost: the adapter's base model './gone' (from adapter_config.json) cannot be found\n"
        "  name it: --baseline=PATH_OR_HUB_ID\n"
        "  ./gone: no such folder\n  a hub id has the form org/name or org/name@revision"
    ):
        find_pair("lost", "fake:x", NOTHING, {"fake"})


def test_an_endpoint_has_no_baseline_of_its_own():
    with model_error(
        "fake:x: no baseline to compare with: only adapters and model cards name one\n  name it: --baseline=PATH_OR_HUB_ID"
    ):
        find_pair("fake:x", None, NOTHING, {"fake"})


def test_a_recipe_is_no_baseline(here):
    model("tuned")
    with model_error("r.yaml: is a recipe, but a baseline must be a model"):
        find_pair("tuned", "r.yaml")
