"""Run one answer's code and its tests: a job on standard input, its token on standard output.

A script that `harness.scoring.python` starts on Linux in a process of its own, so it imports only the standard library. It
gives up its powers, says that it is ready, and writes only once more: the token, after the last test has held.
"""

from __future__ import annotations

import ctypes
import itertools
import marshal
import os
import stat
import struct
import sys
import types

ANSWER = "answer"
MAX_FILE_BYTES = 1024 * 1024
MAX_OPEN_FILES = 64

SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"),  # for extension modules
    *("/usr/share/zoneinfo", "/etc/localtime"),
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
NOT_STANDARD = ("site-packages", "dist-packages")

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_MODE_FILTER = 2
_SIGKILL = 9
_O_PATH = 1 << 21
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _BENEATH = 1, 1
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_RIGHTS = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
"""The access rights that Landlock handles, by the version that added them (Linux: linux/landlock.h)."""

_libc = ctypes.CDLL(None) if sys.platform == "linux" else ctypes.pythonapi


def main() -> None:
    """Confine this process, say that it is ready, and run the job."""
    with open(0, "rb", buffering=0, closefd=False) as stdin:
        # Written by the process that started this one.
        job = marshal.loads(stdin.read())  # nosec B302
    token = [job.pop("token")]
    os.environ.clear()
    confine_files()
    bound(job["seconds"], job["memory_mb"])
    confine_calls(job["calls"], job["parent"])
    out, null = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)
    tests = [
        compile(test, f"<test {number}>", "exec", dont_inherit=True)
        for number, test in enumerate(job["tests"], 1)
    ]
    os.write(out, job.pop("ready"))
    run(job["code"], tests, out, token)


def run(code: str, tests: list[types.CodeType], out: int, token: list[bytes]) -> None:
    """Write the token if `code` and all `tests` run, and exit without any clean-up; the list loses its token first."""
    write, leave = os.write, os._exit
    try:
        # A module, as if the answer had been saved and imported: code under `if __name__ == "__main__"` does not run.
        module = sys.modules[ANSWER] = types.ModuleType(ANSWER)
        steps = (compile(code, f"{ANSWER}.py", "exec", dont_inherit=True), *tests)
        # Evaluated from the left: the token and the number of steps are on this frame's stack before the first step runs,
        # where no frame, trace function or `gc` shows them; and no Python code of ours runs between two steps.
        write(
            out,
            token.pop() * ((None,) * len(steps) == tuple(map(exec, steps, itertools.repeat(vars(module))))),
        )
    finally:
        leave(0)


def confine_files() -> None:
    """Let this process read the standard library, write in its working folder, and open nothing else.

    Raises:
        SystemExit: this kernel cannot do that.
    """
    version = _system_call(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        raise SystemExit("this kernel has no Landlock, or it is switched off (Linux 5.13 and later have it)")
    every = sum(rights for since, rights in _RIGHTS if since <= version)
    rules = _system_call(_CREATE_RULESET, struct.pack("=Q", every), 8, 0)
    allowed = [(".", every)]
    allowed += [(device, _READ_FILE | _WRITE_FILE) for device in DEVICES]
    allowed += [(library, _READ_DIR) for library in sys.path]
    allowed += [(path, _READ_FILE | _READ_DIR) for path in _readable()]
    for path, rights in allowed:
        _allow(rules, path, rights)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if _system_call(_RESTRICT_SELF, rules, 0) != 0:
        raise SystemExit("this kernel has Landlock, and something forbids to use it")
    os.close(rules)


def _readable() -> list[str]:
    """The standard library, without packages installed within it, and the shared libraries that it loads."""
    paths = list(SYSTEM)
    paths += [library for library in sys.path if library.endswith(".zip")]
    for library in filter(os.path.isdir, sys.path):
        entries = list(os.scandir(library))
        standard = [entry.path for entry in entries if entry.name not in NOT_STANDARD]
        paths += [library] if len(standard) == len(entries) else standard
    for libraries in filter(os.path.isdir, {f"{sys.base_prefix}/lib", f"{sys.base_prefix}/{sys.platlibdir}"}):
        paths += [entry.path for entry in os.scandir(libraries) if ".so" in entry.name]
    return paths


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        beneath = os.open(path, _O_PATH)
    except OSError:  # not on every system
        return
    if not stat.S_ISDIR(os.fstat(beneath).st_mode):
        rights &= _READ_FILE | _WRITE_FILE
    _system_call(_ADD_RULE, rules, _BENEATH, struct.pack("=Qi", rights, beneath), 0)
    os.close(beneath)


def bound(seconds: int, memory_mb: int) -> None:
    """Bound processor time, memory, and the number and size of open files, irrevocably.

    Raises:
        SystemExit: this system cannot do that.
    """
    if sys.platform == "win32":
        raise SystemExit("Windows bounds no process")
    import resource

    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory_mb * 1024 * 1024),
        (resource.RLIMIT_FSIZE, MAX_FILE_BYTES),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
    ]
    for kind, most in limits:
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(kind, (most, most))


def confine_calls(filters: bytes, parent: int) -> None:
    """Die with the process `parent`, and make only the system calls that `filters` allow.

    Raises:
        SystemExit: this kernel cannot do that, or the parent is gone.
    """
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the run that asked is gone")
    buffer = ctypes.create_string_buffer(filters, len(filters))
    program = struct.pack("HP", len(filters) // 8, ctypes.addressof(buffer))
    if _prctl(_PR_SET_SECCOMP, _MODE_FILTER, program) != 0:
        raise SystemExit("this kernel filters no system calls (seccomp), or something forbids to")


def _system_call(*arguments: int | bytes | None) -> int:
    return int(_libc.syscall(*map(_word, arguments)))


def _prctl(*arguments: int | bytes) -> int:
    return int(_libc.prctl(*map(_word, (*arguments, 0, 0, 0)[:5])))


def _word(argument: int | bytes | None) -> object:
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


if __name__ == "__main__":
    main()
