"""A command line in, one command run, its exit code out. Each command is a module that loads when it is asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from harness import __version__
from harness.documents.within import Reach
from harness.errors import HarnessError, RecipeError, SuiteError
from harness.terminal import CLOSED, STOPPED, say, show, take_any_text, write_out
from harness.versions import needed

if TYPE_CHECKING:
    from harness.engine.settings import Settings

UNREADABLE = 2
"""Exit code for a suite that cannot be read, as pytest's."""

USAGE = 4
"""Exit code for other input that cannot be used, as pytest's."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; input errors are printed as their message and end in exit code 4, or 2 for those of a suite or a recipe.

    Ctrl-C ends in 130, and a pipe that is closed, such as after `| head`, in 141, as of other tools.
    """
    take_any_text()
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        with suppress(BrokenPipeError):
            say("stopped")
        return STOPPED
    except BrokenPipeError:
        return CLOSED


def _run(arguments: Sequence[str] | None) -> int:
    try:
        parsed = _parsed(arguments)
        if conftests := getattr(parsed, "conftest", None):
            from harness.cli.conftests import import_conftests

            import_conftests(conftests)
        with needed():
            code = int(parsed.run(parsed))
        write_out()
        return code
    except HarnessError as error:
        say(str(error))
        return UNREADABLE if isinstance(error, SuiteError | RecipeError) else USAGE


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    try:
        return _parser().parse_args(arguments)
    except SystemExit:  # after --help or --version, or for what argparse does not take
        write_out()
        raise


class _Parser(argparse.ArgumentParser):
    """A parser that ends in the exit code for what cannot be used, as pytest does; its commands' parsers are of this class too."""

    def error(self, message: str) -> NoReturn:
        say(f"{self.format_usage()}{self.prog}: {message}")
        self.exit(USAGE)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m harness",
        description="What surrounds `pytest suites/ --model REF`: check suites, prepare models, show the gate at work.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    lint = commands.add_parser("lint", help="check suite files without a model; every error at once")
    lint.add_argument("files", nargs="+", type=Path, metavar="FILE", help="suite files, or folders of them")
    lint.add_argument("--strict", action="store_true", help="warnings alone end in exit code 1")
    _add_conftest(lint)
    _add_allow_outside(lint)
    lint.set_defaults(run=_lint)

    plan = commands.add_parser("plan", help="what the gates of suites can and cannot see; no model is loaded")
    plan.add_argument("files", nargs="+", type=Path, metavar="FILE", help="suite files, or folders of them")
    plan.add_argument(
        "--flip-rate", type=_share, default=0.02, metavar="SHARE",
        help="the answers of an unchanged model that flip by chance, half of them each way (0.02)",
    )  # fmt: skip
    plan.add_argument(
        "--tokens-per-second", type=_speed, default=400.0, metavar="N",
        help="the speed at which time is estimated (400)",
    )  # fmt: skip
    plan.add_argument("--json", action="store_true", help="rows for a program")
    _add_conftest(plan)
    _add_allow_outside(plan)
    plan.set_defaults(run=_plan)

    calibrate = commands.add_parser(
        "calibrate", help="ask a baseline: what it can lose on suites, and which margins its noise allows"
    )
    calibrate.add_argument(
        "files", nargs="+", type=Path, metavar="SUITE", help="suite files, or folders of them"
    )
    calibrate.add_argument(
        "--model", required=True, metavar="BASE", help="the baseline: a folder, a hub id or 'embedded'"
    )
    calibrate.add_argument("--device", default="auto", help="where it runs: auto, cpu, cuda, cuda:1, mps")
    calibrate.add_argument("--dtype", default="auto", choices=("auto", "float32", "bfloat16", "float16"))
    calibrate.add_argument(
        "--batch-tokens", type=_count, metavar="N", help="tokens in a batch, padding and answers included"
    )
    calibrate.add_argument(
        "--allow-code", action="store_true", help="run code that the model writes, where a score does"
    )
    _add_template(calibrate)
    calibrate.add_argument("--json", action="store_true", help="what was found, for a program")
    _add_conftest(calibrate)
    _add_allow_outside(calibrate)
    calibrate.set_defaults(run=_calibrate)

    new = commands.add_parser(
        "new", help="write a new suite with example probes; asks for what no option says"
    )
    new.add_argument("name", metavar="NAME", help="the suite's name")
    new.add_argument("--about", help="what it protects, in a sentence")
    new.add_argument("--severity", help="critical, high, medium or low (high)")
    new.add_argument("--answer", help="what a model does: generate, choose or likelihood (generate)")
    new.add_argument("--score", help="what makes an answer right (mentions)")
    new.add_argument("--categories", metavar="A,B", help="names of categories")
    new.add_argument("--out", type=Path, metavar="FILE", help="where to write it (suites/NAME.yaml)")
    new.add_argument("--force", action="store_true", help="overwrite a file")
    new.set_defaults(run=_new)

    preview = commands.add_parser("preview", help="what probes look like to a model, and what it answers")
    preview.add_argument(
        "suite", metavar="SUITE[::SLICE]", help="a suite file, or a slice: s.yaml::probe[id]"
    )
    preview.add_argument(
        "--model", metavar="REF", help="ask this model, and show the prompt after its chat template"
    )
    preview.add_argument("--limit", type=_count, default=3, metavar="N", help="so many probes (3)")
    preview.add_argument("--device", default="auto", help="where the model runs (auto)")
    _add_template(preview)
    preview.add_argument(
        "--allow-code", action="store_true", help="run code that the model writes, where a score does"
    )
    _add_conftest(preview)
    _add_allow_outside(preview)
    preview.set_defaults(run=_preview)

    schema = commands.add_parser("schema", help="the JSON Schema of suite files (or recipes), for editors")
    schema.add_argument(
        "kind", nargs="?", choices=("suite", "recipe"), default="suite", help="of which file (suite)"
    )
    schema.add_argument("--write", action="store_true", help="write both to docs/ instead")
    _add_conftest(schema)
    schema.set_defaults(run=_schema)

    imports = commands.add_parser("import", help="turn another tool's task into a suite")
    tools = imports.add_subparsers(required=True, metavar="TOOL")
    lm_eval = tools.add_parser(
        "lm-eval", help="a multiple_choice or generate_until task of lm-evaluation-harness"
    )
    lm_eval.add_argument("task", type=Path, metavar="TASK.yaml", help="the task file")
    lm_eval.add_argument("--out", type=Path, metavar="FILE", help="the suite to write (suites/NAME.yaml)")
    lm_eval.add_argument("--limit", type=_count, metavar="N", help="only the first N documents")
    lm_eval.add_argument("--category", metavar="COLUMN", help="the column that gives each probe its category")
    lm_eval.add_argument(
        "--metric", metavar="NAME", help="of a task with several metrics, the one to score by"
    )
    lm_eval.add_argument(
        "--num-fewshot", type=_whole, metavar="N", help="how many shots, instead of the file's 'num_fewshot'"
    )
    lm_eval.add_argument("--force", action="store_true", help="write over a suite that is there")
    _add_allow_outside(lm_eval)
    lm_eval.set_defaults(run=_import_lm_eval)

    doctor = commands.add_parser(
        "doctor",
        help="what is installed here and what is wrong with it: versions, devices, cache, pytest's plugins",
    )
    doctor.add_argument("--json", action="store_true", help="rows for a program")
    doctor.set_defaults(run=_doctor)

    embedded = commands.add_parser("embedded", help="convert the embedded model, once, and print its folder")
    embedded.set_defaults(run=_embedded)

    ladder = commands.add_parser(
        "ladder", help="train recipes for one task, and rank them by what they forget at matched gain"
    )
    ladder.add_argument(
        "recipes", nargs="*", type=Path, metavar="RECIPE", help="recipes of one base and one target"
    )
    ladder.add_argument(
        "--suite", action="append", type=Path, default=[], metavar="SUITE",
        help="what must be kept: a suite file, or a folder of them (may be given again)",
    )  # fmt: skip
    ladder.add_argument(
        "--seeds",
        type=_seeds,
        default=(),
        metavar="N,M",
        help="train each recipe under each of these (its own)",
    )
    ladder.add_argument(
        "--sample",
        type=_count,
        metavar="N",
        help="ask only N of the general probes, each suite with its share",
    )
    ladder.add_argument(
        "--matched", type=_positive_share, metavar="SHARE",
        help="drops are compared from this share of the largest gain on (0.9)",
    )  # fmt: skip
    ladder.add_argument(
        "--from", dest="reference", metavar="NAME",
        help="the recipe that the others are held against (of those that learn, the one that forgets most)",
    )  # fmt: skip
    ladder.add_argument(
        "--report", type=Path, default=Path("reports/ladder"), metavar="DIR",
        help="where record and pages are written, and where a ladder that was killed goes on (reports/ladder)",
    )  # fmt: skip
    ladder.add_argument(
        "--render", nargs="?", type=Path, const=True, metavar="DIR",
        help="only render the pages of the record in DIR (or in --report's) again, by --matched and --from if given",
    )  # fmt: skip
    ladder.add_argument("--device", default="auto", help="where models run: auto, cpu, cuda, cuda:1, mps")
    ladder.add_argument("--dtype", default="auto", choices=("auto", "float32", "bfloat16", "float16"))
    ladder.add_argument(
        "--batch-tokens", type=_count, metavar="N", help="tokens in a batch, padding and answers included"
    )
    _add_template(ladder)
    ladder.add_argument(
        "--allow-code", action="store_true", help="run code that a model writes, where a score does"
    )
    _add_conftest(ladder)
    _add_allow_outside(ladder)
    ladder.set_defaults(run=_ladder)

    advise = commands.add_parser(
        "advise", help="what the rules of thumb say against a recipe, before training"
    )
    advise.add_argument("recipes", nargs="+", type=Path, metavar="RECIPE", help="recipe files")
    advise.add_argument("--strict", action="store_true", help="advice ends in exit code 1")
    _add_allow_outside(advise)
    advise.set_defaults(run=_advise)

    demo = commands.add_parser(
        "demo", help="gate a careless and a careful fine-tune, or show in seconds why forgetting happens"
    )
    demo.add_argument(
        "what", nargs="?", choices=("gate", "mechanism"), default="gate", help="which of the two (gate)"
    )
    demo.add_argument(
        "--out", type=Path, metavar="FILE",
        help="where `mechanism` draws its plot, an .svg or .png (reports/mechanism.svg)",
    )  # fmt: skip
    demo.set_defaults(run=_demo)
    return parser


def _add_conftest(parser: argparse.ArgumentParser) -> None:
    """The option of every command that reads suites, which may name a user's own scores."""
    parser.add_argument(
        "--conftest", action="append", type=Path, metavar="FILE",
        help="import this conftest.py first, for the scores that it registers (may be given again)",
    )  # fmt: skip


def _add_allow_outside(parser: argparse.ArgumentParser) -> None:
    """The option of every command that reads files which name others."""
    parser.add_argument(
        "--allow-outside", action="store_true",
        help="read files that a suite or a recipe names outside its folder and the working folder",
    )  # fmt: skip


def _reach(parsed: argparse.Namespace) -> Reach:
    return Reach(anywhere=parsed.allow_outside)


def _add_template(parser: argparse.ArgumentParser) -> None:
    """The options of every command that asks a model, for chat templates and reasoning."""
    parser.add_argument(
        "--template-arg", dest="template_arguments", action="append", default=[], metavar="KEY=VALUE",
        help="an argument of the chat template, such as enable_thinking=false (may be given again)",
    )  # fmt: skip
    parser.add_argument(
        "--thinking-tokens", type=_count, metavar="N",
        help="the most tokens of reasoning before an answer, in addition to the answer's own",
    )  # fmt: skip


def _settings(parsed: argparse.Namespace) -> Settings:
    """How a command's models are run; raises HarnessError where an argument of the chat template is none."""
    from harness.engine.settings import Settings
    from harness.suites.arguments import read_arguments

    return Settings(
        device=parsed.device,
        dtype=getattr(parsed, "dtype", "auto"),
        batch_tokens=getattr(parsed, "batch_tokens", None),
        template_arguments=read_arguments(parsed.template_arguments),
        thinking_tokens=parsed.thinking_tokens,
    )


def _lint(parsed: argparse.Namespace) -> int:
    from harness.cli.lint import lint

    return lint(parsed.files, parsed.strict, _reach(parsed))


def _plan(parsed: argparse.Namespace) -> int:
    from harness.cli.plan import plan

    return plan(parsed.files, parsed.flip_rate, parsed.tokens_per_second, parsed.json, _reach(parsed))


def _calibrate(parsed: argparse.Namespace) -> int:
    from harness.cli.calibrate import calibrate

    return calibrate(
        parsed.files, parsed.model, _settings(parsed), parsed.json, parsed.allow_code, _reach(parsed)
    )


def _new(parsed: argparse.Namespace) -> int:
    from harness.cli.new import Wishes, new

    categories = None if parsed.categories is None else tuple(parsed.categories.split(","))
    wishes = Wishes(
        parsed.name, parsed.about, parsed.severity, parsed.answer, parsed.score, categories, parsed.out
    )
    return new(wishes, parsed.force)


def _preview(parsed: argparse.Namespace) -> int:
    from harness.cli.preview import preview

    return preview(
        parsed.suite, parsed.model, parsed.limit, _settings(parsed), parsed.allow_code, _reach(parsed)
    )


def _schema(parsed: argparse.Namespace) -> int:
    from harness.cli.schema import print_schema, write_schemas

    return write_schemas() if parsed.write else print_schema(parsed.kind)


def _import_lm_eval(parsed: argparse.Namespace) -> int:
    from harness.cli.import_lm_eval import import_lm_eval

    return import_lm_eval(
        parsed.task,
        parsed.out,
        parsed.limit,
        parsed.category,
        parsed.metric,
        parsed.num_fewshot,
        parsed.force,
        _reach(parsed),
    )


def _doctor(parsed: argparse.Namespace) -> int:
    from harness.cli.doctor import doctor

    return doctor(parsed.json)


def _embedded(parsed: argparse.Namespace) -> int:
    from harness.engine.transformers.gguf import ensure_embedded
    from harness.models.embedded import embedded_folder

    ensure_embedded(say)
    show(str(embedded_folder()))
    return 0


def _ladder(parsed: argparse.Namespace) -> int:
    from harness.sweep.run import ladder, render
    from harness.sweep.schedule import Wishes

    wishes = Wishes(
        recipes=parsed.recipes,
        suites=parsed.suite,
        report=parsed.render if isinstance(parsed.render, Path) else parsed.report,
        seeds=parsed.seeds,
        sample=parsed.sample,
        matched=parsed.matched,
        reference=parsed.reference,
        allow_code=parsed.allow_code,
        reach=_reach(parsed),
        command=tuple(sys.argv[1:]),
    )
    if parsed.render is not None:
        if parsed.recipes:
            raise HarnessError(
                "--render reads a record and trains nothing, so it takes no recipes: "
                f"saw {', '.join(map(str, parsed.recipes))}"
            )
        return render(wishes)
    return ladder(wishes, _settings(parsed))


def _advise(parsed: argparse.Namespace) -> int:
    from harness.cli.advise import advise_all

    return advise_all(parsed.recipes, parsed.strict, _reach(parsed))


def _demo(parsed: argparse.Namespace) -> int:
    if parsed.what == "mechanism":
        from harness.cli.mechanism import mechanism

        return mechanism(parsed.out or Path("reports/mechanism.svg"))
    if parsed.out:
        raise HarnessError("--out is where `demo mechanism` draws its plot; `demo gate` draws none")
    from harness.cli.demo import demo

    return demo()


def _share(value: str) -> float:
    """A number from 0 up to, and without, 1."""
    number = _number(value)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to less than 1, saw {value!r}")
    return number


def _positive_share(value: str) -> float:
    """A number above 0, 1 at most."""
    number = _number(value)
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and at most 1, saw {value!r}")
    return number


def _seeds(value: str) -> tuple[int, ...]:
    """Whole numbers with commas between them, each once."""
    seeds = tuple(_whole(part) for part in value.split(","))
    if len(set(seeds)) < len(seeds):
        raise argparse.ArgumentTypeError(f"must be different numbers, saw {value!r}")
    return seeds


def _speed(value: str) -> float:
    """A number above 0."""
    number = _number(value)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, saw {value!r}")
    return number


def _count(value: str) -> int:
    """A whole number of at least 1."""
    if not value.isdecimal() or int(value) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, saw {value!r}")
    return int(value)


def _whole(value: str) -> int:
    """A whole number, 0 too."""
    if not value.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number, saw {value!r}")
    return int(value)


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")  # which lies in no range
