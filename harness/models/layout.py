"""A folder as a trainer left it in, where its model is, or what must be done to make it one, out."""

from __future__ import annotations

from pathlib import Path

CONFIG = "config.json"
ADAPTER_CONFIG = "adapter_config.json"

FOR_OTHERS = "for other programs; name the model that it was made from"

SHARDS = {
    "pytorch_model_fsdp*": "FSDP's own; join its shards: accelerate merge-weights {folder}/pytorch_model_fsdp_0 OUT",
    "global_step*": "DeepSpeed's own; join its shards: python zero_to_fp32.py {folder} OUT --safe_serialization",
    "*.gguf": f"GGUF, which is {FOR_OTHERS}",
    "consolidated*": "in the format of the model's author; convert it to that of transformers",
}
"""What else weights may lie in, and what to do about it."""

PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z")


def is_model(folder: Path) -> bool:
    """Whether a full model or an adapter is in a folder, by its config."""
    return any((folder / name).is_file() for name in (CONFIG, ADAPTER_CONFIG))


def models_within(reference: str, folder: Path) -> str | None:
    """`did you mean 'run/checkpoint-400'?` for a folder that has models in folders of its own; None if it has none."""
    within = list(folder.glob("[!.]*/"))
    within += [path for inner in within for path in inner.glob("[!.]*/")]
    found = sorted(
        (path for path in within if is_model(path)), key=lambda path: _age(path.relative_to(folder))
    )
    if not found:
        return None
    root = Path(reference) if Path(reference).is_dir() else folder
    others = [path.relative_to(folder).as_posix() for path in found[:-1]][-4:]
    also = f"; there are {', '.join(others)} too" if others else ""
    return f"did you mean '{root / found[-1].relative_to(folder)}'?{also}"


def other_weights(folder: Path) -> str | None:
    """What weights there are that no loader of transformers reads, and what to do about it; None if there are none."""
    for pattern, remedy in SHARDS.items():
        if found := sorted(path.name for path in folder.glob(pattern)):
            return f"{found[0]} is {remedy.format(folder=folder)}"
    return None


def file_hint(path: Path) -> str:
    """What to do about a file that was named as a model."""
    if path.suffix.lower() in PACKED:
        return "\n  unpack it"
    if path.suffix.lower() == ".gguf":
        return f"\n  GGUF is {FOR_OTHERS}"
    return f"\n  did you mean its folder, '{path.parent}'?" if is_model(path.parent) else ""


def _age(path: Path) -> tuple[int, bool, int, str]:
    """Orders folders so that the likeliest is last: the outermost, and of checkpoints the latest."""
    step = path.name.rpartition("-")[2]
    number = int(step) if path.name.startswith("checkpoint-") and step.isdecimal() and len(step) < 20 else -1
    return -len(path.parts), number < 0, number, path.name
