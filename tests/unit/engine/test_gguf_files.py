"""GGUF files as they lie on a disk: their heads, shards, and what is no model."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from gguf import GGUFReader, LlamaFileType

from harness.engine.gguf.files import find_files
from harness.engine.gguf.metadata import LISTS, MOST_DIMENSIONS, NAMES, read_metadata
from harness.errors import ModelError
from tests.support.gguf_files import QUANTISED, save_gguf


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_gguf(tmp_path_factory.mktemp("gguf") / "model.gguf", kind=QUANTISED)


def test_the_head_says_what_the_package_gguf_reads(path):
    metadata, other = read_metadata("model", path), GGUFReader(path)
    told = {key: field.contents() for key, field in other.fields.items() if not key.startswith("GGUF.")}
    assert metadata.values == {
        key: value for key, value in told.items() if not isinstance(value, list) or key in LISTS
    }
    assert metadata.parameters == sum(int(tensor.n_elements) for tensor in other.tensors)
    assert metadata.ends == max(int(tensor.data_offset) for tensor in other.tensors)
    assert (metadata.architecture, metadata.context, metadata.quantisation) == ("llama", 512, "Q8_0")


def test_quantisations_have_the_names_of_the_package_gguf():
    theirs = {int(kind): kind.name.partition("_")[2] for kind in LlamaFileType if kind.name != "GUESSED"}
    for number, name in enumerate(NAMES):  # a lower version has fewer
        kind = theirs.get(number, name)
        assert kind.removeprefix("MOSTLY_").removeprefix("ALL_").startswith(name)


def test_a_file_that_is_cut_anywhere_is_incomplete(path, tmp_path):
    content = path.read_bytes()
    ends = read_metadata("model", path).ends
    cut = tmp_path / "cut.gguf"
    for size in [*range(8, 2000, 37), ends // 2, ends]:
        cut.write_bytes(content[:size])
        with pytest.raises(
            ModelError, match=r"^model: is incomplete or damaged \(.* bytes\)\n  copy or download"
        ):
            read_metadata("model", cut)


def head(tensors: int = 0, keys: int = 0, rest: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, keys) + rest


TEXT = struct.pack("<Q", 1) + b"a"
DAMAGED = {
    "more keys than bytes": head(keys=2**60),
    "more tensors than bytes": head(tensors=2**60),
    "a text beyond the end": head(keys=1, rest=struct.pack("<Q", 2**63)),
    "an unknown kind": head(keys=1, rest=TEXT + struct.pack("<I", 99)),
    "a list beyond the end": head(keys=1, rest=TEXT + struct.pack("<IIQ", 9, 4, 2**62)),
    "texts without end": head(keys=1, rest=TEXT + struct.pack("<IIQ", 9, 8, 2**40)),
    "lists in lists": head(keys=1, rest=TEXT + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 2000),
    "dimensions": head(tensors=1, rest=TEXT + struct.pack("<I", MOST_DIMENSIONS + 1) + bytes(1000)),
    "an alignment of 0": head(
        keys=1, rest=struct.pack("<Q", 17) + b"general.alignment" + struct.pack("<II", 4, 0)
    ),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_head_is_an_error_at_once(content, tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="^model: is incomplete or damaged"):
        read_metadata("model", path)


OTHER = {
    "empty": (b"", r"is no GGUF file: it begins with b'', not b'GGUF'"),
    "text": (b"a text that is longer", r"is no GGUF file: it begins with b'a te', not b'GGUF'"),
    "old": (b"GGUF\1\0\0\0", "is a GGUF file of version 1, and versions 2 and 3 can be read\n  convert"),
    "big endian": (b"GGUF\0\0\0\3", "is a GGUF file of version 50331648"),
    "pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "m.gguf is a git-lfs pointer, not the file itself\n  run: git lfs pull",
    ),
}


@pytest.mark.parametrize(("content", "said"), OTHER.values(), ids=OTHER)
def test_other_files_are_named_for_what_they_are(content, said, tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=said):
        find_files("model", path)


def test_a_missing_file_is_sought_among_its_neighbours(path, tmp_path):
    with pytest.raises(ModelError, match=r"^tuned.gguf: no such file\n  in .* are: model.gguf$"):
        find_files("tuned.gguf", path.with_name("tuned.gguf"))
    with pytest.raises(ModelError, match=r"^x: is a folder\n  in .* are: model.gguf$"):
        find_files("x", path.parent)
    with pytest.raises(ModelError, match=r"^a/b.gguf: no such file$"):
        find_files("a/b.gguf", tmp_path / "a" / "b.gguf")


KINDS = {
    "adapter": (
        {"general.type": "adapter"},
        "is an adapter in GGUF form, not a model\n  name the adapter's folder as peft saved it, or merge it; run: llama-export-lora",
    ),
    "projector": ({"general.type": "mmproj"}, "holds no language model, but a mmproj for 'llama'"),
}


@pytest.mark.parametrize(("values", "said"), KINDS.values(), ids=KINDS)
def test_what_writes_no_text_is_refused(values, said, tmp_path):
    path = save_gguf(tmp_path / "m.gguf", values=values)
    with pytest.raises(ModelError, match=said):
        find_files("model", path)


def test_shards_belong_together(tmp_path):
    save_gguf(tmp_path / "m.gguf", shards=8)
    first = tmp_path / "m-00001-of-00003.gguf"
    files = find_files("model", first)
    assert [path.name for path in files.paths] == [f"m-{number:05}-of-00003.gguf" for number in (1, 2, 3)]
    assert len(set(files.digests)) == 3
    assert files.parameters == find_files("whole", save_gguf(tmp_path / "whole.gguf")).parameters
    second, third = files.paths[1:]
    with pytest.raises(ModelError, match="is a part of a model\n  name the first: '.*m-00001-of-00003.gguf'"):
        find_files("model", second)
    third.write_bytes(third.read_bytes()[:40])
    with pytest.raises(ModelError, match="m-00003-of-00003.gguf: is incomplete or damaged"):
        find_files("model", first)
    third.unlink()
    with pytest.raises(
        ModelError, match="1 of its 3 parts are missing: m-00003-of-00003.gguf\n  put them beside"
    ):
        find_files("model", first)
    with pytest.raises(ModelError, match="is a part of a model in 3 files\n  give them their names back"):
        find_files("model", first.rename(tmp_path / "renamed.gguf"))
