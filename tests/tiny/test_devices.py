"""Machines with all kinds of GPUs, as torch tells of them: what is chosen, how it is named, and what is said where it cannot be used."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch

from harness.engine.requests import Generate, Plain
from harness.engine.settings import Settings
from harness.engine.transformers import inventory, unused
from harness.engine.transformers.device import (
    check_dtype,
    default_dtype,
    device_name,
    devices,
    find_device,
    free_memory,
    keep_random_state,
    out_of_memory,
)
from harness.engine.transformers.unused import unused_gpu
from harness.errors import ModelError
from harness.training.trainer import _Arguments
from tests.support.engines import load_reference

ONES = torch.ones


class Machine:
    """What torch finds on a machine, and what was done there."""

    def __init__(self, monkeypatch) -> None:
        self.patch = monkeypatch
        self.bad: dict[torch.dtype, str] = {}
        self.done: list[str] = []
        monkeypatch.setattr(torch, "ones", self._ones)

    def has(self, kind, *names, hip=None, built=None):
        """GPUs of a kind; torch is built for that kind, or for another one alone."""
        found = torch.device(kind) if names else None
        of_build = torch.device(built) if built else found
        module = SimpleNamespace(
            get_device_name=lambda device: names[torch.device(device).index or 0],
            empty_cache=lambda: self.done.append("empty_cache"),
            mem_get_info=lambda device: (60 << 30, 79 << 30),
            device_count=lambda: len(names),
            get_rng_state=lambda device: self.done.append(f"get {device}"),
            set_rng_state=lambda state, device: self.done.append(f"set {device}"),
        )
        for name, value in {
            "current_accelerator": lambda check_available=False: found if check_available else of_build,
            "is_available": lambda: bool(names),
            "device_count": lambda: len(names),
            "set_device_index": lambda index: self.done.append(f"on {index}"),
        }.items():
            self.patch.setattr(torch.accelerator, name, value)
        self.patch.setattr(torch, "get_device_module", lambda device=None: module)
        self.patch.setattr(torch.backends.mps, "get_name", lambda: names[0])
        self.patch.setattr(torch.mps, "recommended_max_memory", lambda: 12 << 30)
        self.patch.setattr(torch.version, "hip", hip)
        return self

    def _ones(self, *shape, dtype=None, device=None):
        if torch.device(device or "cpu").type != "cpu" and dtype in self.bad:
            raise RuntimeError(f"{self.bad[dtype]}\nand more")
        return ONES(*shape, dtype=dtype)


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch).has("cpu")


GPUS = {
    "cuda": (("cuda", "NVIDIA H100", "NVIDIA H100"), {}, "cuda, NVIDIA H100", ["cuda:0", "cuda:1", "cpu"]),
    "rocm": (("cuda", "AMD Instinct MI300X"), {"hip": "6.4"}, "cuda (ROCm), AMD Instinct MI300X", ["cuda:0", "cpu"]),
    "mps": (("mps", "Apple M3 Pro"), {}, "mps, Apple M3 Pro", ["mps", "cpu"]),
    "xpu": (("xpu", "Intel Arc B580"), {}, "xpu, Intel Arc B580", ["xpu:0", "cpu"]),
}  # fmt: skip


@pytest.mark.parametrize(("gpus", "how", "name", "all_"), GPUS.values(), ids=GPUS)
def test_a_gpu_of_any_kind_is_used_and_named(machine, gpus, how, name, all_, monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    machine.has(*gpus, **how)
    device = find_device("auto")
    assert (str(device), device_name(device)) == (gpus[0], name)
    assert list(map(str, devices())) == all_
    assert [find_device(each) for each in (gpus[0], f"{gpus[0]}:0", "cpu")] == [
        torch.device(gpus[0]), torch.device(gpus[0], 0), torch.device("cpu"),
    ]  # fmt: skip
    free_memory()
    assert machine.done == ["empty_cache"]


def test_without_a_gpu_the_cpu_is_used(machine):
    assert find_device("auto") == find_device("cpu") == find_device("cpu:0") == torch.device("cpu")
    assert device_name(torch.device("cpu")).startswith("cpu, ")
    free_memory()
    assert machine.done == []


NOT_THERE = {
    "cuda:7": "--device=cuda:7: there is no such device; this machine has: cuda:0, cuda:1, cpu",
    "mps": f"--device=mps: torch {torch.__version__} is built without it; this machine has: cuda:0, cuda:1, cpu",
    "gpu": "--device=gpu: there is no such device; this machine has: cuda:0, cuda:1, cpu\n  write --device=auto",
    "rocm": "--device=rocm: there is no such device; this machine has: cuda:0, cuda:1, cpu\n  write --device=cuda",
    "meta": "--device=meta: there is no such device; this machine has: cuda:0, cuda:1, cpu",
    "cpu:1": "--device=cpu:1: there is no such device; this machine has: cuda:0, cuda:1, cpu",
    "cuda:-1": "--device=cuda:-1: there is no such device; this machine has: cuda:0, cuda:1, cpu",
    "": "--device: there is no such device; this machine has: cuda:0, cuda:1, cpu",
    "\x1b[31m": "--device=\\u001b[31m: there is no such device; this machine has: cuda:0, cuda:1, cpu",
}


@pytest.mark.parametrize(("wanted", "said"), NOT_THERE.items())
def test_a_device_that_is_not_there_is_said_with_those_that_are(machine, wanted, said):
    machine.has("cuda", "NVIDIA H100", "NVIDIA H100")
    with pytest.raises(ModelError) as caught:
        find_device(wanted)
    assert caught.value.on_command_line == said


def test_a_torch_for_gpus_without_one_says_torchs_reason(machine):
    machine.has("cuda", built="cuda").bad[torch.float32] = "Found no NVIDIA driver on your system."
    with pytest.raises(ModelError) as caught:
        find_device("cuda:0")
    said = "--device=cuda:0: Found no NVIDIA driver on your system.; this machine has: cpu"
    assert caught.value.on_command_line == said
    assert find_device("auto") == torch.device("cpu")


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_a_gpu_that_computes_nothing_is_said_at_once(machine, wanted):
    machine.has("cuda", "Tesla P40").bad[torch.float32] = "no kernel image is available for execution"
    with pytest.raises(ModelError) as caught:
        find_device(wanted)
    assert caught.value.on_command_line == (
        f"--device={wanted}: cuda, Tesla P40 computes nothing: no kernel image is available for execution; this machine has: "
        "cuda:0, cpu\n  run on the CPU: --device=cpu"
    )


def test_the_dtype_of_the_weights_where_the_gpu_computes_in_it(machine):
    machine.has("mps", "Apple M1").bad[torch.bfloat16] = "BFloat16 is not supported on MPS"
    mps, cpu = torch.device("mps"), torch.device("cpu")
    assert default_dtype(mps, "float16") == "float16"
    assert default_dtype(mps, "bfloat16") == default_dtype(cpu, "bfloat16") == "float32"
    check_dtype(mps, "auto")
    check_dtype(mps, "float16")
    with pytest.raises(ModelError) as caught:
        check_dtype(mps, "bfloat16")
    assert caught.value.on_command_line == (
        "--dtype=bfloat16: mps, Apple M1 does not compute in it: BFloat16 is not supported on MPS\n"
        "  it computes in float32, float16"
    )


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB, max allowed: 9 GB)"),
        RuntimeError("Invalid buffer size: 16.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("level_zero backend failed with error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
        MemoryError(),
    ],
    ids=str,
)  # fmt: skip
def test_no_memory_is_told_from_other_errors_on_every_device(error):
    assert out_of_memory(error)
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not out_of_memory(KeyError("out of memory"))


def test_no_memory_on_this_cpu():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**45)
    assert out_of_memory(caught.value)


def test_random_numbers_stay_as_they_were(machine):
    machine.has("xpu", "Intel Arc B580", "Intel Arc B580")
    before = torch.get_rng_state()
    with keep_random_state():
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
    assert machine.done == ["get 0", "get 1", "set 0", "set 1"]


def test_a_training_keeps_to_the_device_of_its_model(machine, tmp_path, monkeypatch):
    arguments = _Arguments(output_dir=str(tmp_path), use_cpu=True, report_to=[])
    assert (arguments.device, arguments.n_gpu) == (torch.device("cpu"), 0)
    machine.has("cuda", "NVIDIA H100", "NVIDIA H100")
    arguments.on, arguments.use_cpu = "cuda:1", False
    assert (arguments.device, arguments.n_gpu, machine.done) == (torch.device("cuda:1"), 1, ["on 1"])


# What doctor shows


def test_all_devices_are_listed_for_the_doctor(machine, capsys):
    machine.has("cuda", "AMD Instinct MI300X", hip="6.4").bad[torch.bfloat16] = "not here"
    assert inventory.main() == 0
    gpu, cpu = json.loads(capsys.readouterr().out)["devices"]
    assert gpu == {
        "device": "cuda:0", "name": "AMD Instinct MI300X, ROCm", "memory": 79 << 30, "free": 60 << 30,
        "dtypes": ["float32", "float16"], "fault": "bfloat16: not here",
    }  # fmt: skip
    assert (cpu["device"], cpu["fault"]) == ("cpu", None)


def test_an_apple_gpu_is_listed_for_the_doctor(machine):
    machine.has("mps", "Apple M3 Pro")
    gpu, _ = inventory.inventory()
    assert (gpu["device"], gpu["name"], gpu["memory"], gpu["free"]) == ("mps", "Apple M3 Pro", 12 << 30, None)


# A GPU that torch cannot use


@pytest.fixture
def root(tmp_path, machine, monkeypatch):
    """The root of the file system of a machine on which torch finds no GPU."""
    monkeypatch.setattr(
        unused, "Path", lambda *parts: tmp_path.joinpath(*(part.lstrip("/") for part in parts))
    )
    monkeypatch.setattr(unused.platform, "system", lambda: "Linux")
    monkeypatch.setattr(torch.version, "cuda", None)
    for names in unused.HIDES.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)
    return tmp_path


def nvidia(root):
    (root / "dev").mkdir()
    (root / "dev/nvidia0").touch()
    card = root / "proc/driver/nvidia/gpus/0000:01:00.0"
    card.mkdir(parents=True)
    (card / "information").write_text("Model: \t\t NVIDIA GeForce RTX 4090\nIRQ: 1\n")


BUILD = ": get one from https://pytorch.org/get-started/locally"


def test_an_nvidia_card_and_a_torch_for_cpus(root, monkeypatch):
    assert unused_gpu() is None
    nvidia(root)
    said = f"this machine has a GPU (NVIDIA GeForce RTX 4090), and torch {torch.__version__} is built without CUDA{BUILD}"
    assert unused_gpu() == said
    with pytest.raises(ModelError) as caught:
        find_device("cuda")
    assert caught.value.on_command_line == (
        f"--device=cuda: torch {torch.__version__} is built without it; this machine has: cpu\n  {said}"
    )
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert unused_gpu() == (
        f"this machine has a GPU (NVIDIA GeForce RTX 4090), and torch {torch.__version__} cannot use it with its driver"
    )


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_a_card_that_the_user_hides_is_no_news(root, monkeypatch, hidden):
    nvidia(root)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert unused_gpu() is None


def test_a_card_that_torch_uses_is_no_news(root, machine):
    nvidia(root)
    machine.has("cuda", "NVIDIA H100")
    assert unused_gpu() is None


def test_other_machines_with_a_gpu(root, monkeypatch):
    (root / "dev").mkdir()
    (root / "dev/kfd").touch()
    assert (
        unused_gpu()
        == f"this machine has a GPU (AMD), and torch {torch.__version__} is built without ROCm{BUILD}"
    )
    monkeypatch.setattr(unused.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(unused.platform, "machine", lambda: "x86_64")
    assert unused_gpu() is None
    monkeypatch.setattr(unused.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(torch.backends.mps, "is_built", lambda: True)
    monkeypatch.setattr(unused.platform, "mac_ver", lambda: ("13.6", (), "arm64"))
    assert (
        unused_gpu()
        == f"this machine has a GPU (Apple), and torch {torch.__version__} cannot use it with macOS 13.6"
    )


def test_the_note_is_among_those_of_a_run_that_left_the_choice_to_us(root, base):
    nvidia(root)
    notes = load_pair_notes(base, "auto")
    assert [note.partition(",")[0] for note in notes] == ["this machine has a GPU (NVIDIA GeForce RTX 4090)"]
    assert load_pair_notes(base, "cpu") == []


def load_pair_notes(base, device):
    from harness.engine.transformers.loading import load_pair
    from harness.models.reference import LocalPair, find_local_model

    model = find_local_model(str(base))
    return [
        note for note in load_pair(LocalPair(model, model), Settings(device=device)).notes if "GPU" in note
    ]


def test_a_dtype_that_no_device_here_computes_in_is_refused_before_loading(base, monkeypatch):
    monkeypatch.setattr(
        "harness.engine.transformers.device.dtype_fault",
        lambda device, dtype: "not here" if dtype == torch.float16 else None,
    )
    with pytest.raises(ModelError, match="dtype='float16': cpu, .* does not compute in it: not here"):
        load_reference(str(base), Settings(dtype="float16"))
    engine = load_reference(str(base))
    assert len(engine.ask([Generate(Plain("Why? "), 2)])) == 1
