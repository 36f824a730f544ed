"""The filter of system calls: its table against the kernel's headers, and what its program decides, for both machines."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from harness.scoring.calls import MACHINES, allowed, program

PROCESS = 4321
CODES = {machine: code for machine, (code, _) in MACHINES.items()}
I386, ARM = 0x40000003, 0x40000028
ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
HEADERS = {
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", r"#define __NR_(\w+) (\d+)"),
    "aarch64": ("/usr/include/asm-generic/unistd.h", r"#define __NR(?:3264)?_(\w+) (\d+)"),
}
THREAD, MUSL_THREAD = 0x3D0F00, 0x7D0F00

each_machine = pytest.mark.parametrize("machine", MACHINES)


def decide(machine: str, number: int, *arguments: int, code: int | None = None) -> int:
    """What the program answers to a call, run step by step as the kernel does."""
    words = [argument & (2**64 - 1) for argument in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    data = struct.pack("<IIQ6Q", number, CODES[machine] if code is None else code, 0, *words)
    steps = list(struct.iter_unpack("=HBBI", program(machine, PROCESS)))
    at = value = 0
    while True:
        kind, if_true, if_false, constant = steps[at]
        at += 1
        match kind:
            case 0x20:
                (value,) = struct.unpack_from("<I", data, constant)
            case 0x54:
                value &= constant
            case 0x15:
                at += if_true if value == constant else if_false
            case 0x06:
                return constant
            case _:
                raise AssertionError(f"step {kind:#x}")


@each_machine
def test_the_numbers_are_the_kernels(machine):
    path, line = HEADERS[machine]
    if not Path(path).exists():
        pytest.skip(f"no {path}")
    known = dict(re.findall(line, Path(path).read_text(encoding="utf-8")))
    known.setdefault("newfstatat", known.get("fstatat"))  # its name in the list that arm64 shares
    assert allowed(machine) == {name: int(known[name]) for name in allowed(machine)}


@each_machine
def test_what_is_not_in_the_table_is_refused(machine):
    passing = set(allowed(machine).values())
    assert {decide(machine, n) for n in range(700) if n not in passing} == {EPERM}
    assert {decide(machine, n | 0x40000000) for n in range(700)} == {EPERM}, "x32"


@each_machine
def test_calls_of_another_machine_end_the_process(machine):
    others = [I386, ARM, 0, *(code for name, code in CODES.items() if name != machine)]
    assert {decide(machine, n, code=code) for code in others for n in range(300)} == {KILL}


@each_machine
@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("read", (), ALLOW),
        ("mmap", (0, 4096, 7, 0x22, -1, 0), ALLOW),
        ("clone", (THREAD,), ALLOW),
        ("clone", (MUSL_THREAD,), ALLOW),
        ("clone", (17,), EPERM),
        ("clone", (0,), EPERM),
        ("clone", (THREAD | 0x40000000,), EPERM),
        ("clone", (THREAD & ~0x10000,), EPERM),
        ("clone", (THREAD | 0x2000,), EPERM),
        ("clone3", (), ENOSYS),
        ("kill", (PROCESS, 9), ALLOW),
        ("kill", (PROCESS + 1, 9), EPERM),
        ("kill", (0, 9), EPERM),
        ("kill", (-1, 9), EPERM),
        ("kill", (-PROCESS, 9), EPERM),
        ("tgkill", (PROCESS, 1, 9), ALLOW),
        ("tgkill", (PROCESS + 1, 1, 9), EPERM),
        ("prlimit64", (0, 7, 0, 0x7000), ALLOW),
        ("prlimit64", (0, 7, 0x7000, 0), EPERM),
        ("prlimit64", (0, 7, 0x7000_0000_0000, 0), EPERM),
        ("prlimit64", (PROCESS, 7, 0, 0x7000), EPERM),
        ("fcntl", (3, 1030, 0), ALLOW),
        ("fcntl", (3, 8, PROCESS), EPERM),
        ("fcntl", (3, 1024, 0), EPERM),
        ("ioctl", (0, 0x5401, 0), ALLOW),
        ("ioctl", (0, 0x5412, 0), EPERM),
        ("madvise", (0, 4096, 4), ALLOW),
        ("madvise", (0, 4096, 100), EPERM),
        ("socketpair", (1, 1 | 0o2004000, 0), ALLOW),
        ("socketpair", (1, 2, 0), EPERM),
        ("socketpair", (2, 1, 0), EPERM),
        ("sendto", (3, 0x7000, 1, 0, 0, 0), ALLOW),
        ("sendto", (3, 0x7000, 1, 0, 0x7000_0000_0000, 110), EPERM),
        ("sendto", (3, 0x7000, 1, 0, 0x7000, 110), EPERM),
        ("openat", (-100, 0x7000, 0o2000000), ALLOW),
        ("openat", (-100, 0x7000, 0o1101), ALLOW),
        ("openat", (-100, 0x7000, 0o1102), ALLOW),
        ("openat", (-100, 0x7000, 0o1000), EPERM),
        ("openat", (-100, 0x7000, 0o3), EPERM),
    ],
)  # fmt: skip
def test_arguments_count(machine, name, arguments, answer):
    assert decide(machine, allowed(machine)[name], *arguments) == answer


def test_a_machine_that_is_not_known():
    with pytest.raises(KeyError):
        program("riscv64", PROCESS)
