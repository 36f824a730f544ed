"""An allow-list of system calls as a seccomp filter: a kind of machine and a process id in, a BPF program out.

An answer written in Python gets what it needs: memory, threads, files, pipes, clocks. Everything else fails with EPERM,
including calls that no kernel has yet: other processes and their limits, programs, signals to others, sockets, devices,
mounts, keys, chmod and chown (which Landlock does not cover). A call for another machine (i386) kills the process.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

Condition = tuple[int, int, int]
"""Offset of a 32-bit word in the call's data, mask, and the value that the masked word must have."""
Step = tuple[int, int, int, int]
"""One instruction of classic BPF: code, steps to skip if true, steps to skip if false, constant."""

MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""By `platform.machine()`: its audit code (linux/audit.h) and its column in the table below."""

_NUMBERS = """
    brk 12 214, mmap 9 222, munmap 11 215, mprotect 10 226, mremap 25 216, msync 26 227, madvise 28 233,
    clone 56 220, clone3 435 435, exit 60 93, exit_group 231 94, futex 202 98, set_robust_list 273 99, rseq 334 293,
    membarrier 324 283, sched_yield 24 124, sched_getaffinity 204 123, gettid 186 178, restart_syscall 219 128,
    rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, rt_sigpending 127 136, rt_sigtimedwait 128 137,
    rt_sigsuspend 130 133, sigaltstack 131 132, pause 34 -, kill 62 129, tgkill 234 131,
    nanosleep 35 101, clock_nanosleep 230 115, clock_gettime 228 113, clock_getres 229 114, gettimeofday 96 169,
    time 201 -, times 100 153, alarm 37 -, getitimer 36 102, setitimer 38 103, getrusage 98 165,
    getpid 39 172, getppid 110 173, getuid 102 174, geteuid 107 175, getgid 104 176, getegid 108 177, uname 63 160,
    sysinfo 99 179, getrandom 318 278, getrlimit 97 163, prlimit64 302 261, umask 95 166,
    read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, lseek 8 62, sendfile 40 71,
    copy_file_range 326 285, fsync 74 82, fdatasync 75 83, ftruncate 77 46, fadvise64 221 223, ioctl 16 29,
    fcntl 72 25, dup 32 23, dup2 33 -, dup3 292 24, close 3 57, close_range 436 436, pipe 22 -, pipe2 293 59,
    open 2 -, openat 257 56, access 21 -, faccessat 269 48, faccessat2 439 439, stat 4 -, lstat 6 -, fstat 5 80,
    newfstatat 262 79, statx 332 291, readlink 89 -, readlinkat 267 78, getdents64 217 61, getcwd 79 17, chdir 80 49,
    fchdir 81 50, mkdir 83 -, mkdirat 258 34, rmdir 84 -, unlink 87 -, unlinkat 263 35, rename 82 -, renameat 264 38,
    renameat2 316 276, link 86 -, linkat 265 37, symlink 88 -, symlinkat 266 36,
    poll 7 -, ppoll 271 73, select 23 -, pselect6 270 72, epoll_create1 291 20, epoll_ctl 233 21, epoll_wait 232 -,
    epoll_pwait 281 22, epoll_pwait2 441 441, socketpair 53 199, sendto 44 206, recvfrom 45 207, getsockname 51 204
"""
"""Each allowed call with its numbers on x86-64 and on arm64, which lacks some (Linux: asm/unistd.h)."""

_LOAD, _AND, _EQUALS, _RETURN = 0x20, 0x54, 0x15, 0x06
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM, _ENOSYS = 1, 38
_EXACTLY = 0xFFFFFFFF
_NUMBER, _MACHINE = 0, 4
"""Offsets in the call's data (struct seccomp_data); from byte 16 on, each argument takes two words."""

_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 1030)
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_DUPFD_CLOEXEC."""
_IOCTL = (0x5401, 0x541B, 0x5421, 0x5450, 0x5451, 0x40049409)
"""TCGETS, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, FICLONE."""
_MADVISE = (0, 1, 2, 3, 4, 8, 14, 15)
"""MADV_NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE."""
_ACCESS_MODE, _TRUNCATE = 0o3, 0o1000
_UNIX, _STREAM, _KINDS = 1, 1, 0xF
_THREAD, _MUSL_ONLY = 0x3D0F00, 0x400000
"""The flags of a new thread in glibc and musl; musl adds one without a meaning (CLONE_DETACHED)."""


def _low(argument: int) -> int:
    return 16 + 8 * argument


def _one_of(argument: int, *values: int) -> list[list[Condition]]:
    return [[(_low(argument), _EXACTLY, value)] for value in values]


def _null(argument: int) -> list[Condition]:
    return [(_low(argument), _EXACTLY, 0), (_low(argument) + 4, _EXACTLY, 0)]


def _checked(process: int) -> dict[str, list[list[Condition]]]:
    """Calls allowed only with certain arguments: if all conditions of any of a call's lists hold."""
    return {
        "clone": [[(_low(0), _EXACTLY & ~_MUSL_ONLY, _THREAD)]],
        "clone3": [],
        "kill": _one_of(0, process),
        "tgkill": _one_of(0, process),
        "prlimit64": [[(_low(0), _EXACTLY, 0), *_null(2)]],
        "fcntl": _one_of(1, *_FCNTL),
        "ioctl": _one_of(1, *_IOCTL),
        "madvise": _one_of(2, *_MADVISE),
        # How asyncio wakes itself up; neither call reaches the named socket of another process.
        "socketpair": [[(_low(0), _EXACTLY, _UNIX), (_low(1), _KINDS, _STREAM)]],
        "sendto": [_null(4)],
        "open": _opening(1),
        "openat": _opening(2),
    }


def _opening(flags: int) -> list[list[Condition]]:
    """Opening a file in any way except truncating while reading, which the first Landlock does not stop."""
    reads = [(_low(flags), _ACCESS_MODE | _TRUNCATE, 0)]
    return [reads, *([(_low(flags), _ACCESS_MODE, mode)] for mode in (1, 2))]


def allowed(machine: str) -> dict[str, int]:
    """The allowed calls of a kind of machine: name to number; raises KeyError for an unknown machine."""
    column = MACHINES[machine][1]
    rows = (row.split() for row in _NUMBERS.split(","))
    return {name: int(numbers[column]) for name, *numbers in rows if numbers[column] != "-"}


def program(machine: str, process: int) -> bytes:
    """The filter for a process on a kind of machine, as an array of `struct sock_filter`.

    Raises:
        KeyError: the machine is not in MACHINES.
    """
    code = MACHINES[machine][0]
    steps: list[Step] = [
        (_LOAD, 0, 0, _MACHINE),
        (_EQUALS, 1, 0, code),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    checked = _checked(process)
    for name, number in allowed(machine).items():
        # A filter cannot see the flags of clone3; if it is missing (ENOSYS), libc falls back to clone.
        refusal = (_RETURN, 0, 0, _FAIL | (_ENOSYS if name == "clone3" else _EPERM))
        body = [*_tests(checked[name]), refusal] if name in checked else [(_RETURN, 0, 0, _ALLOW)]
        steps += [(_EQUALS, 0, len(body), number), *body]
    steps.append((_RETURN, 0, 0, _FAIL | _EPERM))
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _tests(alternatives: list[list[Condition]]) -> Iterator[Step]:
    for conditions in alternatives:
        after = 3 * len(conditions)
        for offset, mask, value in conditions:
            after -= 3
            yield from ((_LOAD, 0, 0, offset), (_AND, 0, 0, mask), (_EQUALS, 0, after + 1, value))
        yield (_RETURN, 0, 0, _ALLOW)
