"""A folder as a trainer left it in, the place of its model, or the way to make it one, out."""

from __future__ import annotations

from pathlib import Path

CONFIG = "config.json"
GENERATION = "generation_config.json"
ADAPTER_CONFIG = "adapter_config.json"

SHARDS = {
    "pytorch_model_fsdp*": "FSDP's own; join its shards: accelerate merge-weights {folder}/pytorch_model_fsdp_0 OUT",
    "global_step*": "DeepSpeed's own; join its shards: python zero_to_fp32.py {folder} OUT --safe_serialization",
    "*.gguf": "GGUF; name the file itself, or the model that it was converted from",
    "consolidated*": "in the format of the model's author; convert it to that of transformers",
}
"""Other forms of weights, and their remedies."""

PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z")


def is_model(folder: Path) -> bool:
    """Whether a folder has a full model or an adapter, by its config."""
    return any((folder / name).is_file() for name in (CONFIG, ADAPTER_CONFIG))


def models_within(reference: str, folder: Path) -> str | None:
    """`did you mean 'run/checkpoint-400'?` for a folder with models in subfolders; None without any."""
    within = list(folder.glob("[!.]*/"))
    within += [path for inner in within for path in inner.glob("[!.]*/")]
    models = sorted((path.relative_to(folder) for path in within if is_model(path)), key=_likelihood)
    if not models:
        return None
    root = Path(reference) if Path(reference).is_dir() else folder
    others = ", ".join(path.as_posix() for path in models[:-1][-4:])
    return f"did you mean '{root / models[-1]}'?" + (f"; there are {others} too" if others else "")


def other_weights(folder: Path) -> str | None:
    """The name of weights that no loader of transformers reads, and a remedy; None without any."""
    for pattern, remedy in SHARDS.items():
        if found := sorted(path.name for path in folder.glob(pattern)):
            return f"{found[0]} is {remedy.format(folder=folder)}"
    return None


def file_hint(path: Path) -> str:
    """A remedy for a file that was named as a model."""
    if path.suffix.lower() in PACKED:
        return "\n  unpack it"
    if path.suffix.lower() == ".gguf":
        return "\n  a GGUF file can only be asked; name the model that it was converted from"
    return f"\n  did you mean its folder, '{path.parent}'?" if is_model(path.parent) else ""


def _likelihood(path: Path) -> tuple[int, bool, int, str]:
    """Sorts the likeliest folder last: the outermost and, of checkpoints, the latest."""
    step = path.name.rpartition("-")[2]
    number = int(step) if path.name.startswith("checkpoint-") and step.isdecimal() and len(step) < 20 else -1
    return -len(path.parts), number < 0, number, path.name
