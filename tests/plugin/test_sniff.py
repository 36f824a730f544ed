"""What a file is by its bytes: a suite, nearly one, or none of ours; every shipped file, and a dozen of other tools."""

from __future__ import annotations

import codecs
import errno
import re
import time
from pathlib import Path

import pytest

from harness.suites.detect import (
    KEYS,
    PROBES,
    TELLING,
    Sniffed,
    leads_nowhere,
    look_through,
    may_be_suite,
    sniff,
)
from harness.suites.format import SuiteFormat
from tests.support.project import SMALL

ROOT = Path(__file__).parents[2]

FOREIGN = {
    "docker-compose.yml": """\
services:
  web:
    image: nginx:1.27
    healthcheck: {test: [CMD, curl, -f, http://localhost], interval: 30s}
    deploy: {resources: {limits: {cpus: "0.5"}}}
  task:
    build: .
volumes: {data: {}}
""",
    "workflow.yml": """\
name: ci
on: {push: {branches: [main]}, pull_request: }
jobs:
  suite:
    runs-on: ubuntu-latest
    strategy: {matrix: {suite: [unit, gates], severity: [low]}}
    steps:
      - uses: actions/checkout@v7
      - name: write a suite
        run: |
          cat > s.yaml <<EOF
          suite: s
          gates: [{over: each}]
          probes: []
          EOF
""",
    "deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {severity: high}}
spec:
  template:
    spec:
      containers:
        - name: web
          livenessProbe: {httpGet: {path: /, port: 80}}
---
apiVersion: v1
kind: ConfigMap
data:
  s.yaml: |
    suite: s
    gates: []
    probes: []
""",
    "openapi.yaml": """\
openapi: 3.1.0
info: {title: Tests, version: "1"}
paths:
  /suites:
    get: {responses: {"200": {description: All}}}
components:
  schemas:
    Suite:
      type: object
      properties:
        suite: {type: string}
        about: {type: string}
        severity: {type: string}
        gates: {type: array}
        probes: {type: array}
""",
    "mkdocs.yml": "site_name: Docs\nsite_url: https://example.org\ntheme: {name: material}\nnav:\n  - about: about.md\n",
    "_config.yml": "title: Us\nsite: example.org\nabout: We make lamps.\ndates: short\ntasks: []\n",
    "dvc.yaml": "stages:\n  score:\n    cmd: python score.py\n    deps: [score.py]\nmetrics: [scores.json]\n",
    "test_login.tavern.yaml": """\
test_name: Log in
marks: [slow]
includes: [!include common.yaml]
stages:
  - name: ask
    request: {url: http://localhost, method: GET}
    response: {status_code: 200}
""",
    "environment.yml": "name: env\nchannels: [conda-forge]\ndependencies:\n  - python=3.11\n  - pip: [torch]\n",
    "meta.yaml": "package: {name: x}\nsource: {path: .}\ntest: {imports: [x]}\nabout: {home: https://example.org}\n",
    "deployment_test.yaml": "suite: deployment\ntemplates: [d.yaml]\nrelease: {name: x}\ntests:\n  - it: works\n",
    ".kitchen.yml": "driver: {name: docker}\nplatforms: [{name: debian}]\nsuites:\n  - name: default\n    run_list: []\n",
    "playbook.yml": "- hosts: all\n  tasks:\n    - name: a\n      apt: {name: x}\n- hosts: db\n  tasks: []\n",
    "rules.yaml": "groups:\n  - name: g\n    rules:\n      - alert: Down\n        labels: {severity: page}\n",
    "values.yaml": "web:\n  image: x\n  probes: {liveness: {}}\n  severity: low\n",
    "applicationset.yaml": "kind: ApplicationSet\nspec:\n  generators: [{list: {}}]\n  template: {}\n",
    "lm_eval_task.yaml": "task: arc\ntag: science\ndataset_path: ai2_arc\noutput_type: multiple_choice\nmetric_list: []\n",
    "findings.yaml": "- severity: high\n  score: 9.8\n  task: fix\n- severity: low\n  about: x\n",
    "matrix.yaml": "- suite: unit\n  severity: low\n- suite: slow\n  about: nightly\n",
    "helm.yaml": "{{- if .Values.gates }}\ngates: {{ .Values.gates }}\n{{- end }}\nkind: X\n",
    "words.yaml": "just words\n",
    "broken.yaml": "a: [\n",
    "comment.yaml": "# suite: s\n# gates: []\n# probes: []\n",
    "notes.yaml~": "title: none\n",
    "compose.yaml.bak": "services: {}\n",
    "pointer.txt": SMALL,
}
"""What other tools call their files and write in them; none is a suite."""


@pytest.fixture
def look(tmp_path):
    def at(text: str | bytes, name: str = "x.yaml") -> Sniffed:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return sniff(path)

    return at


def test_the_keys_are_those_of_a_suite():
    assert set(KEYS) == {info.alias or name for name, info in SuiteFormat.model_fields.items()}
    assert PROBES < TELLING < set(KEYS)


@pytest.mark.parametrize(
    "path",
    [*sorted((ROOT / "suites").glob("*.yaml")), *sorted((ROOT / "fixtures/targets").glob("*.yaml"))],
    ids=lambda path: path.name,
)
def test_every_shipped_suite_is_one(path):
    assert sniff(path).kind == "suite"


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted((ROOT / "fixtures").rglob("*.y*ml"))
        if path.parent.name != "targets"
    ],
    ids=lambda path: path.name,
)  # fmt: skip
def test_no_recipe_is_nearly_a_suite(path):
    assert sniff(path).kind == "none"


@pytest.mark.parametrize("name", FOREIGN)
def test_other_tools_files_are_none(look, name):
    assert look(FOREIGN[name], name) == Sniffed("none")
    assert look(FOREIGN[name].replace("\n", "\r\n"), name) == Sniffed("none")


SUITES = {
    "as it is": SMALL,
    "after a comment": "# so\n%YAML 1.2\n---\n" + SMALL,
    "CRLF": SMALL.replace("\n", "\r\n"),
    "CR": SMALL.replace("\n", "\r"),
    "quoted keys": re.sub(r"^(\w+):", r'"\1" :', SMALL, flags=re.MULTILINE),
    "indented as a whole": re.sub(r"^(?=.)", "    ", SMALL, flags=re.MULTILINE),
    "the first key indented": "  " + SMALL,
    "in braces": '{"suite": "s",\n "gates": [{"over": "each"}], "probes": []}',
    "suite misspelt": SMALL.replace("suite", "siute"),
    "gates misspelt": SMALL.replace("gates", "gate"),
    "probes misspelt": SMALL.replace("probes", "prboes"),
    "suite and probes misspelt": SMALL.replace("suite", "siute").replace("probes", "probe"),
    "generators": "suite: s\ngenerators: []\n",
    "probes_from": "suite: s\nprobes_from: x.csv\n",
    "no space after a colon": SMALL.replace(": ", ":"),
    "tabs below": "suite: s\ngates:\n\t- {over: each}\n",
    "a byte that is no UTF-8": SMALL.encode().replace(b"Why", b"W\xe9"),
    "UTF-8 with a mark": codecs.BOM_UTF8 + SMALL.encode(),
    **{
        name: SMALL.encode(name)
        for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
    },
    "UTF-16 BE with a mark": codecs.BOM_UTF16_BE + SMALL.encode("utf-16-be"),
}


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_with_whichever_slip(look, name):
    assert look(SUITES[name]) == Sniffed("suite")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("severity: high\nprobes: []\n", "it has no 'suite' and no 'gates'"),
        ("suite: s\nabout: x\n", "it has no 'gates' and no 'probes'"),
        ("gates: []\nscore: x\n", "it has no 'suite' and no 'probes'"),
        ("suite: s\nporbes: []\n", "its key 'porbes' may be 'probes'"),
        ("Suite: s\nGates: []\n", "its key 'Suite' may be 'suite' and its key 'Gates' may be 'gates'"),
        ("suite: s\nprobes-from: x.csv\n", "its key 'probes-from' may be 'probes_from'"),
        ("siute: s\nprboes: []\n", "its key 'siute' may be 'suite' and its key 'prboes' may be 'probes'"),
        ("siute: s\nscore: x\ntask: {}\n", "its key 'siute' may be 'suite'"),
        ("suite: s", "it has 'suite' and nothing else"),
        ("{suite: s, about: x", "it has no 'gates' and no 'probes'"),
        ("- suite: s\n  gates: []\n", "it is a list, and a suite is a mapping"),
        ("-\n  suite: s\n  gates: []\n", "it is a list, and a suite is a mapping"),
        ("- {suite: s, gates: []}\n", "it is a list, and a suite is a mapping"),
        ("[{suite: s, gates: []}]\n", "it is a list, and a suite is a mapping"),
        ("\tsuite: s\n\tgates: []\n", "its keys are indented with tabs"),
        ("all:\n  suite: s\n  gates: []\n", "its keys are nested under 'all'"),
        ("suite: s\n  gates: []\n  probes: []\n", "its keys are nested under 'suite'"),
        ("", "it is empty"),
        (b"\0" * 4096, "it is empty"),
        (codecs.BOM_UTF16_LE, "it is empty"),
    ],
)
def test_what_is_nearly_a_suite(look, text, reason):
    assert look(text) == Sniffed("nearly", reason)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x.yaml", True), ("x.yml", True), ("X.YML", True), ("x.yml.txt", True), ("x.yaml~", True), ("x.yaml.1", True),
        ("x.YAML.bak", True), ("x.ymal", True), ("x.yam", True), ("x.yaml_old", True), ("x.yaml (1)", True),
        ("x.txt", False), ("x.toml", False), ("x.xml", False), ("yaml", False), ("x.yamlish", False), ("x.py", False),
    ],
)  # fmt: skip
def test_names_that_may_be_a_suite_s(name, expected):
    assert may_be_suite(Path(name)) is expected


def test_under_another_name(look):
    assert look(SMALL, "x.yml.txt") == Sniffed("nearly", "a suite's name ends in .yaml or .yml")
    assert look("", "x.yml.txt") == Sniffed("nearly", "a suite's name ends in .yaml or .yml")
    assert look(b"b0VIM 9.0\0\0\n" + SMALL.encode(), ".x.yaml.swp") == Sniffed("none")


def test_what_cannot_be_read(tmp_path):
    reason = "it cannot be read ({})"
    (tmp_path / "x.yaml").symlink_to("gone.yaml")
    assert sniff(tmp_path / "x.yaml") == Sniffed("nearly", reason.format("No such file or directory"))
    (tmp_path / "x.yaml~").symlink_to("gone.yaml")
    assert sniff(tmp_path / "x.yaml~") == Sniffed("none")
    (tmp_path / "x.yml").symlink_to("x.yml")
    assert sniff(tmp_path / "x.yml").kind == "nearly"
    assert leads_nowhere(tmp_path / "x.yaml")
    assert leads_nowhere(tmp_path / "x.yml")


def test_a_folder_is_looked_through(tmp_path):
    (tmp_path / "deep/er.yaml").mkdir(parents=True)
    (tmp_path / "b.YML").write_text(SMALL)
    (tmp_path / "deep/er.yaml/a.yaml").write_text("suite: s")
    (tmp_path / "deep/x.yaml").symlink_to("gone.yaml")
    (tmp_path / "x.yml").write_text("services: {}")
    found = [(str(path.relative_to(tmp_path)), seen.kind) for path, seen in look_through(tmp_path)]
    assert found == [("b.YML", "suite"), ("deep/er.yaml/a.yaml", "nearly"), ("deep/x.yaml", "nearly")]


def test_links_to_folders_are_followed_once_and_virtual_environments_are_not(tmp_path):
    for name in ("suites/own.yaml", "shared/linked.yaml", "suites/.hidden/h.yaml", "suites/env/lib/e.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SMALL)
    (tmp_path / "suites/env/pyvenv.cfg").touch()
    (tmp_path / "suites/to").symlink_to("../shared")
    (tmp_path / "shared/back").symlink_to("../suites")
    found = [str(path.relative_to(tmp_path)) for path, _ in look_through(tmp_path / "suites")]
    assert found == ["suites/.hidden/h.yaml", "suites/own.yaml", "suites/to/linked.yaml"]


def test_a_folder_that_may_not_be_entered_is_passed_over(tmp_path, monkeypatch):
    """The system refuses even to say whether a file is in it."""
    stat = Path.stat

    def closed(path, **named):
        if "closed" in path.parts[:-1]:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **named)

    for name in ("own.yaml", "closed/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SMALL)
    (tmp_path / "linked.yaml").symlink_to("closed/x.yaml")
    monkeypatch.setattr(Path, "stat", closed)
    assert [path.name for path, _ in look_through(tmp_path)] == ["linked.yaml", "own.yaml"]
    assert leads_nowhere(tmp_path / "linked.yaml")


@pytest.mark.parametrize("text", ["", "accepted:\n  - {probe: s::a, gates: x, suite: s}\n"])
def test_accepted_losses_are_no_near_miss(look, text):
    assert look(text, "accepted.yaml") == Sniffed("none")
    assert look(SMALL, "accepted.yaml") == Sniffed("suite")


def test_a_large_file_takes_no_time(look):
    many = "".join(f"suite_{number}: gates\n" for number in range(100_000))
    began = time.process_time()
    assert look(many) == Sniffed("none")
    assert look("# " + "x" * 5_000_000 + "\n" + " " * 1_000_000 + "\n" + SMALL) == Sniffed("suite")
    assert time.process_time() - began < 2
