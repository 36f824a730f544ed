"""Each command is one file that declares and runs itself, and is light until it runs."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys

import pytest

from harness.cli.main import COMMANDS, command_line
from harness.command_line import OneOf, count, file_or_folder, positive, rate, seeds, share, text, whole
from harness.engine.settings import ENGINE_OPTIONS, Settings, add_engine_options, settings_of
from harness.errors import HarnessError
from harness.plugin.option_list import OPTIONS

NAMES = [
    "init", "lint", "plan", "calibrate", "new", "preview", "rescore", "schema", "doctor", "embedded", "ladder", "advise", "store", "demo",
    "show", "history", "compare", "accept", "repair", "blame", "sequence", "diagnose", "equal", "tune",
]  # fmt: skip
ASKING = {
    "calibrate": ["s.yaml", "--model", "m"],
    "preview": ["s.yaml"],
    "ladder": ["r.yaml"],
    "repair": ["--model", "m", "--target", "t.yaml", "--suite", "s.yaml", "--out", "o"],
    "blame": ["--model", "m", "--suite", "s.yaml"],
    "sequence": ["a.yaml", "b.yaml"],
    "tune": ["base", "c.jsonl", "--target", "t.yaml", "--suite", "s.yaml"],
    "diagnose": ["reports/latest"],
    "equal": ["a", "b", "--suite", "s.yaml"],
}
"""Commands that ask a model, and the fewest arguments of each."""

SHARING = {"repair", "diagnose"}
"""Those that ask two models, which can then share the template of one."""

HEAVY = {"torch", "transformers", "peft", "scipy", "pydantic", "yaml", "harness.sweep", "harness.plugin"}


def help_of(name: str) -> str:
    with pytest.raises(SystemExit) as caught:
        command_line().parse_args([name, "--help"])
    assert caught.value.code == 0
    return name


@pytest.mark.parametrize("module", COMMANDS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_command_declares_and_runs_itself(module):
    commands = argparse.ArgumentParser().add_subparsers()
    module.add_parser(commands)
    (parser,) = commands.choices.values()
    parts = [
        action.choices.values()
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    for part in parts[0] if parts else [parser]:
        assert part.get_default("run") is module.run


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_its_help(capsys, name):
    help_of(name)
    assert f"usage: python -m harness {name}" in capsys.readouterr().out
    assert len(NAMES) == len(COMMANDS)


@pytest.mark.parametrize("name", [*NAMES, "store info", "store prune", "store export", "store import"])
def test_the_help_of_a_command_says_what_it_does(capsys, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "200")
    *group, last = name.split()
    with pytest.raises(SystemExit):
        command_line().parse_args([*group, "--help"])
    [listed] = re.findall(rf"^    {last}\s+(.+)$", capsys.readouterr().out, re.MULTILINE)
    with pytest.raises(SystemExit):
        command_line().parse_args([*group, last, "--help"])
    assert f"\n\n{listed[0].upper()}{listed[1:]}.\n\n" in capsys.readouterr().out


def test_the_help_lists_nothing_that_needs_a_checkout_of_the_gate(capsys):
    """`schema --write` updates docs/ of the repository: CONTRIBUTING.md has it."""
    help_of("schema")
    assert "--write" not in capsys.readouterr().out
    assert command_line().parse_args(["schema", "--write"]).write


def test_the_help_lists_commands_in_the_order_of_their_use(capsys):
    with pytest.raises(SystemExit):
        command_line().parse_args(["--help"])
    listed = re.findall(r"^    ([a-z]+)\b", capsys.readouterr().out, re.MULTILINE)
    assert listed[:7] == ["init", "new", "lint", "preview", "plan", "calibrate", "rescore"]
    assert set(listed) == set(NAMES)


def test_the_help_of_every_command_is_light(root):
    """One process for all: what any of them loads is loaded at the end."""
    code = (
        "import sys\n"
        "from harness.cli.main import main\n"
        f"for name in {NAMES}:\n"
        "    try:\n"
        "        main([name, '--help'])\n"
        "    except SystemExit as end:\n"
        "        assert end.code == 0\n"
        f"sys.stderr.write(repr(sorted({HEAVY} & set(sys.modules))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "[]")
    assert done.stdout.count("usage: python -m harness") == len(NAMES)


# Engine options


def options_of(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    return {action.option_strings[-1]: action for action in parser._actions if action.option_strings}


@pytest.mark.parametrize("name", ASKING)
def test_every_command_that_asks_a_model_has_the_engine_options_of_pytest(capsys, name):
    pytests = {option.name: option for option in OPTIONS}
    assert {option.name for option in ENGINE_OPTIONS} <= pytests.keys()
    help_of(name)
    told = " ".join(capsys.readouterr().out.split())
    for option in ENGINE_OPTIONS:
        assert (pytests[option.name].help, pytests[option.name].keywords) == (option.help, option.keywords)
        has = option.name != "template" or name in SHARING
        assert (f"--{option.name} " in told) == has
        assert (option.help in told) == has


@pytest.mark.parametrize("name", ASKING)
def test_settings_are_made_alike_for_every_command(name):
    plain = command_line().parse_args([name, *ASKING[name]])
    assert settings_of(vars(plain)) == Settings()
    written = (
        "--device cpu --dtype bfloat16 --batch-tokens 99 --template-arg a=1 --template-arg b=yes --thinking-tokens 5 "
        "--allow-pickle --allow-remote-code --allow-key k --allow-key l --allow-conversion "
        "--engine vllm --engine-args max_model_len=99 --engine-args a=b"
    )
    parsed = command_line().parse_args([name, *ASKING[name], *written.split()])
    assert settings_of(vars(parsed)) == Settings(
        device="cpu", dtype="bfloat16", batch_tokens=99, allow_remote_code=True, allow_pickle=True,
        allow_keys=("k", "l"), allow_conversion=True, template_arguments=(("a", "1"), ("b", '"yes"')),
        thinking_tokens=5, engine="vllm", engine_args=(("a", '"b"'), ("max_model_len", "99")),
    )  # fmt: skip


def test_the_template_of_the_other_model_is_for_those_who_ask_two():
    one, two = argparse.ArgumentParser(), argparse.ArgumentParser()
    add_engine_options(one, template=False)
    add_engine_options(two)
    assert options_of(two).keys() - options_of(one).keys() == {"--template"}
    assert settings_of(vars(two.parse_args(["--template", "tuned"]))).template == "tuned"


def test_an_argument_of_the_template_that_is_none():
    parsed = command_line().parse_args(["preview", "s.yaml", "--template-arg", "x"])
    with pytest.raises(HarnessError, match="must be KEY=VALUE, saw 'x'"):
        settings_of(vars(parsed))


# Types


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (text, "", "must not be empty"),
        (file_or_folder, " ", "must not be empty"),
        (count, "0", "must be a whole number of at least 1, saw '0'"),
        (count, "-1", "must be a whole number of at least 1, saw '-1'"),
        (whole, "1.5", "must be a whole number, saw '1.5'"),
        (seeds, "1,x", "must be a whole number, saw 'x'"),
        (seeds, "1,1", "must be different numbers, saw '1,1'"),
        (rate, "1", "must be a number from 0 to less than 1, saw '1'"),
        (rate, "nan", "must be a number from 0 to less than 1, saw 'nan'"),
        (share, "0", "must be a number above 0 and at most 1, saw '0'"),
        (positive, "inf", "must be a number above 0, saw 'inf'"),
        (positive, "fast", "must be a number above 0, saw 'fast'"),
        (OneOf("auto", "float32"), "float23", "must be one of auto, float32, saw 'float23'; did you mean 'float32'?"),
    ],
)  # fmt: skip
def test_values_that_an_option_cannot_have(kind, value, message):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        kind(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (count, "1", 1),
        (whole, "0", 0),
        (seeds, "3,1", (3, 1)),
        (rate, "0", 0.0),
        (share, "1", 1.0),
        (positive, "0.5", 0.5),
        (OneOf("auto", "float32"), "auto", "auto"),
    ],
)
def test_values_that_it_can(kind, value, expected):
    assert kind(value) == expected
