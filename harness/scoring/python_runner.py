"""A job on standard input, its token on standard output: runs one answer's code and its tests in this process.

A script of its own, started by `harness.scoring.python` in a process that does nothing else, so it imports only
the standard library. It takes powers away from itself, says that it is ready, and then speaks only once more:
after the last test has held, it gives the token back.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import struct
import sys
import types

ANSWER = "answer"
MAX_FILE_BYTES = 1024 * 1024
MAX_OPEN_FILES = 64

_EPERM, _ENOSYS = 1, 38
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_MODE_FILTER = 2
_SIGKILL = 9
_LOAD, _EQUALS, _HAS_BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_CLONE_THREAD = 0x00010000

_NUMBERS = {
    # machine: (its code, clone, clone3, and refused: fork, vfork, execve, execveat, kill, pidfd_send_signal, socket,
    # io_uring_setup); arm64 has no fork and no vfork
    "x86_64": (0xC000003E, 56, 435, (57, 58, 59, 322, 62, 424, 41, 425)),
    "aarch64": (0xC00000B7, 220, 435, (221, 281, 129, 424, 198, 425)),
}
"""System calls by their numbers (Linux: asm/unistd.h, linux/audit.h)."""


def main() -> None:
    """Run the job; leaves the process without any clean-up that the answer could hook into."""
    job = json.loads(sys.stdin.buffer.read())
    out = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    write, leave = os.write, os._exit
    tests = [
        compile(test, f"<test {number}>", "exec", dont_inherit=True)
        for number, test in enumerate(job["tests"], 1)
    ]
    os.environ.clear()
    take_powers(job["seconds"], job["memory_mb"])
    write(out, job["ready"].encode())
    try:
        # A module, as if the answer had been saved and imported: what stands under `if __name__ == "__main__"` rests.
        module = types.ModuleType(ANSWER)
        sys.modules[ANSWER] = module
        exec(compile(job["code"], f"{ANSWER}.py", "exec", dont_inherit=True), module.__dict__)
        for test in tests:
            exec(test, module.__dict__)
        write(out, job["token"].encode())
    finally:
        leave(0)


def take_powers(seconds: int, memory_mb: int) -> None:
    """Bound time, memory, files and processes of this process, for good."""
    filtered = refuse_calls()
    megabyte = 1024 * 1024
    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory_mb * megabyte),
        (resource.RLIMIT_FSIZE, MAX_FILE_BYTES),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
    ]
    if not filtered:  # counts all of a user's processes, threads too on Linux, and does not bind root
        limits.append((resource.RLIMIT_NPROC, 0))
    for kind, most in limits:
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):
            if sys.platform == "linux":  # macOS knows some limits by name only
                raise


def refuse_calls() -> bool:
    """Make new processes, other programs, signals to others and sockets fail with EPERM; False where that cannot be."""
    machine = os.uname().machine
    if sys.platform != "linux" or machine not in _NUMBERS or sys.maxsize < 2**32:
        return False
    code, clone, clone3, refused = _NUMBERS[machine]
    steps = [
        (_LOAD, 0, 0, 4),  # the machine that the call is made for
        (_EQUALS, 1, 0, code),
        (_RETURN, 0, 0, _FAIL | _EPERM),
        (_LOAD, 0, 0, 0),  # the call's number
    ]
    for number in refused:
        steps += [(_EQUALS, 0, 1, number), (_RETURN, 0, 0, _FAIL | _EPERM)]
    # Threads are let pass: memory bounds them. The flags of clone3 cannot be seen; without it libc uses clone.
    steps += [
        (_EQUALS, 0, 1, clone3),
        (_RETURN, 0, 0, _FAIL | _ENOSYS),
        (_EQUALS, 0, 3, clone),
        (_LOAD, 0, 0, 16),  # the call's flags
        (_HAS_BITS, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, _FAIL | _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    filters = b"".join(struct.pack("HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(filters, len(filters))
    program = struct.pack("HP", len(steps), ctypes.addressof(buffer))
    prctl = ctypes.CDLL(None).prctl
    word = ctypes.c_ulong
    prctl(
        _PR_SET_PDEATHSIG, word(_SIGKILL), word(0), word(0), word(0)
    )  # a killed test run leaves nothing behind
    prctl(_PR_SET_NO_NEW_PRIVS, word(1), word(0), word(0), word(0))
    return bool(prctl(_PR_SET_SECCOMP, word(_MODE_FILTER), program, word(0), word(0)) == 0)


if __name__ == "__main__":
    main()
