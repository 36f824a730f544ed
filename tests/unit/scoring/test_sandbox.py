"""What an answer's code may not do, each tried by code that is right only if the attempt is refused."""

from __future__ import annotations

import os
import platform
import time

import pytest

from harness.scoring.calls import MACHINES, allowed
from harness.scoring.python import holds, refusal

MACHINE = platform.machine()
pytestmark = pytest.mark.skipif(refusal() is not None, reason=str(refusal()))

SECONDS = 30.0
"""Long enough for a busy machine, for code that ends by itself."""

HEAD = """\
import ctypes, errno, mmap, os, signal, socket, subprocess, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
parent = os.getppid()

def call(number, *arguments):
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *given)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def limits(*values):
    return ctypes.addressof((ctypes.c_ulong * len(values))(*values))
"""


def right(code: str, test: str = "assert True", timeout: float = SECONDS, memory_mb: int = 256) -> bool:
    return holds(code, [test], timeout, memory_mb)


def each_raises(*lines: str, error: str = "PermissionError", head: str = HEAD) -> str:
    """Code that is right only if each of `lines` raises `error`."""
    tries = "".join(
        f"try:\n    {line}\nexcept {error}:\n    pass\nelse:\n    raise AssertionError({line!r})\n"
        for line in lines
    )
    return head + tries


NUMBERS = {
    # name: x86-64, arm64
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "kcmp": (312, 272), "prlimit64": (302, 261), "setpriority": (141, 140),
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "ioprio_set": (251, 30),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "clone": (56, 220), "execveat": (322, 281),
    "memfd_create": (319, 279), "personality": (135, 92), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "mount": (165, 40), "unshare": (272, 97), "setns": (308, 268), "chroot": (161, 51),
    "pivot_root": (155, 41), "io_uring_setup": (425, 425), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "seccomp": (317, 277), "prctl": (157, 167), "inotify_init1": (294, 26),
    "fanotify_init": (300, 262), "timer_create": (222, 107), "timerfd_create": (283, 85), "setsid": (112, 157),
    "setpgid": (109, 154), "capset": (126, 91), "mknodat": (259, 33), "openat2": (437, 437), "fcntl": (72, 25),
    "open_by_handle_at": (304, 265), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),
    "mq_open": (240, 180), "madvise": (28, 233), "openat": (257, 56),
}  # fmt: skip


def number(name: str) -> int:
    return NUMBERS[name][MACHINES[MACHINE][1]]


def calls(*lines: str) -> tuple[str, ...]:
    """Lines whose call(NAME, ...) names a system call, with its number here."""
    return tuple(
        line.replace(f"call({name},", f"call({number(name)},")
        for line in lines
        for name in [line.partition("call(")[2].partition(",")[0]]
    )


def test_ordinary_code_can_be_confined_here():
    assert right("x = 1", "assert x == 1")


@pytest.mark.parametrize(
    "lines",
    [
        ["os.kill(parent, 0)", "os.kill(parent, 9)", "os.kill(-1, 0)", "os.kill(0, 0)", "os.killpg(os.getpgid(0), 0)"],
        calls("call(kill, parent, 0)", "call(kill, -1, 0)", "call(tkill, parent, 0)", "call(tgkill, parent, parent, 0)"),
        calls("call(tgkill, -1, parent, 0)", "call(rt_sigqueueinfo, parent, 0, bytes(128))",
              "call(rt_tgsigqueueinfo, parent, parent, 0, bytes(128))"),
        calls("call(pidfd_open, parent, 0)", "call(pidfd_send_signal, 0, 0, None, 0)", "call(pidfd_getfd, 0, 0, 0)"),
        calls("call(fcntl, 0, 8, parent)", "call(fcntl, 0, 15, bytes(8))", "call(fcntl, 0, 10, 9)"),  # SIGIO to it
        calls("call(ptrace, 16, parent, 0, 0)", "call(ptrace, 0x4206, parent, 0, 0)", "call(ptrace, 0, 0, 0, 0)"),
        calls("call(process_vm_readv, parent, None, 0, None, 0, 0)", "call(process_vm_writev, parent, None, 0, None, 0, 0)",
              "call(process_madvise, 0, None, 0, 0, 0)", "call(kcmp, parent, parent, 0, 0, 0)"),
        calls("call(prlimit64, parent, 7, limits(0, 0), None)", "call(prlimit64, parent, 7, None, limits(0, 0))",
              "call(prlimit64, 0, 7, limits(9, 9), None)"),
        calls("call(setpriority, 0, parent, 19)", "call(sched_setaffinity, parent, 8, bytes(8))",
              "call(sched_setscheduler, parent, 0, bytes(8))", "call(ioprio_set, 1, parent, 0)"),
        calls("call(migrate_pages, parent, 0, None, None)", "call(move_pages, parent, 0, None, None, None, 0)"),
        calls("call(setsid, 0)", "call(setpgid, 0, parent)", "call(prctl, 1, 0, 0, 0, 0)", "call(prctl, 4, 1, 0, 0, 0)"),
    ],
)  # fmt: skip
def test_the_process_that_asked_cannot_be_reached(lines):
    assert right(each_raises(*lines))


def test_limits_cannot_be_changed():
    head = f"{HEAD}import resource\n"
    line = "resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))"  # it makes another error of EPERM
    assert right(each_raises(line, error="ValueError", head=head))
    assert right(each_raises("resource.prlimit(parent, resource.RLIMIT_NOFILE)", head=head))


@pytest.mark.parametrize(
    "lines",
    [
        ["os.fork()", "os.forkpty()", "os.posix_spawn('/bin/true', ['true'], {})", "subprocess.run(['true'])"],
        ["os.execv('/bin/true', ['true'])", "os.execv(sys.executable, ['python', '-c', ''])", "os.system('true') and os.fork()"],
        calls("call(clone, 17, 0, 0, 0, 0)", "call(clone, 0x4111, 0, 0, 0, 0)", "call(clone, 0x7d0f00 | 0x40000000, 0, 0, 0, 0)",
              "call(execveat, -100, b'/bin/true', None, None, 0)", "call(memfd_create, b'x', 0)"),
        ["__import__('multiprocessing').Process(target=print).start()"],
    ],
)  # fmt: skip
def test_no_process_is_started(lines):
    assert right(each_raises(*lines))


@pytest.mark.skipif(MACHINE != "x86_64", reason="arm64 has neither")
def test_no_process_is_started_by_the_old_calls():
    assert right(each_raises("call(57)", "call(58)", "call(59, b'/bin/true', None, None)"))


@pytest.mark.parametrize(
    "lines",
    [
        ["socket.socket()", "socket.socket(socket.AF_UNIX)", "socket.create_connection(('127.0.0.1', 9), 1)"],
        ["socket.socketpair(socket.AF_INET)", "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
         "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)"],
        ["socket.socketpair()[0].sendto(b'x', '/dev/log')", "socket.socketpair()[0].connect('/dev/log')",
         "socket.socketpair()[0].bind('name')", "socket.socketpair()[0].sendmsg([b'x'])"],
        calls("call(io_uring_setup, 8, bytes(120))"),
    ],
)  # fmt: skip
def test_no_network(lines):
    assert right(each_raises(*lines))


@pytest.mark.parametrize(
    "lines",
    [
        calls("call(personality, 0x40000)", "call(keyctl, 0, -3, 0)", "call(add_key, b'user', b'x', b'y', 1, -3)",
              "call(request_key, b'user', b'x', None, -3)"),
        calls("call(mount, b'none', b'.', b'tmpfs', 0, None)", "call(unshare, 0x10000000)", "call(setns, 0, 0)",
              "call(chroot, b'.')", "call(pivot_root, b'.', b'.')", "call(capset, None, None)"),
        calls("call(bpf, 0, None, 0)", "call(perf_event_open, None, 0, 0, 0, 0)", "call(userfaultfd, 0)",
              "call(seccomp, 1, 0, None)", "call(inotify_init1, 0)", "call(fanotify_init, 0, 0)"),
        calls("call(timer_create, 0, None, bytes(8))", "call(timerfd_create, 0, 0)", "call(shmget, 1, 1, 0)",
              "call(msgget, 1, 0o1000)", "call(semget, 1, 1, 0o1000)", "call(mq_open, b'x', 0, 0, None)"),
        calls("call(mknodat, -100, b'x', 0o010600, 0)", "call(open_by_handle_at, -100, bytes(8), 0)",
              "call(openat2, -100, b'.', bytes(24), 24)", "call(madvise, 0, 4096, 100)", "call(madvise, 0, 4096, 101)"),
        ["os.setuid(65534)", "os.setgid(65534)", "os.nice(1)", "os.mkfifo('x')", "os.chown('.', 1, 1)"],
        ["__import__('fcntl').ioctl(0, 0x5412, b'x')", "__import__('fcntl').fcntl(0, 1024, 0)",
         "__import__('fcntl').fcntl(0, 1026, 2)"],  # TIOCSTI, a lease, notices of a folder
    ],
)  # fmt: skip
def test_the_system_cannot_be_reached(lines):
    assert right(each_raises(*lines))


ENDING = (335, 336) if MACHINE == "x86_64" else ()
"""uretprobe and uprobe: no filter sees them, and the kernel ends a process that makes them by itself."""


def test_no_call_is_let_pass_but_those_that_are_allowed():
    """Every number of today and some of tomorrow, and on x86-64 each as a call of x32."""
    passing = {*allowed(MACHINE).values(), *ENDING}
    numbers = [n for n in range(600) if n not in passing]
    if MACHINE == "x86_64":
        numbers += [0x40000000 | n for n in range(600)]
    code = f"for n in {numbers}:\n    try:\n        call(n, 0, 0, 0, 0, 0, 0)\n    except PermissionError:\n        continue\n"
    assert right(f"{HEAD}{code}    raise AssertionError(n)\n")


@pytest.mark.skipif(MACHINE != "x86_64", reason="machine code of x86-64")
def test_a_call_of_i386_ends_the_code():
    run = (
        "page = mmap.mmap(-1, 4096, prot=7)\npage.write(bytes.fromhex(CODE))\n"
        "address = ctypes.addressof(ctypes.c_char.from_buffer(page))\n"
        "seen = ctypes.CFUNCTYPE(ctypes.c_long)(address)()\n"
    )
    assert right(f"{HEAD}CODE = 'b8270000000f05c3'\n{run}", "assert seen == os.getpid()"), "getpid of x86-64"
    assert not right(f"{HEAD}CODE = 'b814000000cd80c3'\n{run}"), "getpid of i386, by int 0x80"


@pytest.fixture
def secret(tmp_path):
    """A file of the user's."""
    path = tmp_path / "token"
    path.write_text("secret")
    return path


@pytest.mark.parametrize(
    "line",
    [
        "open({file!r}).read()",
        "open({file!r}, 'a')",
        "open({file!r}, 'w')",
        "open({folder!r} + '/new', 'w')",
        "open(os.path.relpath({file!r})).read()",
        "os.open({file!r}, os.O_RDONLY | os.O_TRUNC)",
        "os.open({folder!r}, os.O_RDWR | os.O_TMPFILE)",
        "os.open(os.path.basename({file!r}), os.O_RDONLY, dir_fd=os.open({folder!r}, os.O_PATH))",
        "os.chdir({folder!r}) or open('token')",
        "os.listdir({folder!r})",
        "os.listdir('/')",
        "os.truncate({file!r}, 0)",
        "os.remove({file!r})",
        "os.chmod({file!r}, 0o777)",
        "os.utime({file!r})",
        "os.setxattr({file!r}, 'user.x', b'1')",
        "os.mkdir({folder!r} + '/new')",
        "os.rmdir({folder!r})",
        "os.symlink('x', {folder!r} + '/new')",
        "os.symlink({file!r}, 'there') or open('there').read()",
        "os.symlink({folder!r}, 'folder') or open('folder/new', 'w')",
        "open('new', 'w').close() or os.chmod('new', 0o777)",
        "open('/etc/passwd').read()",
        "open('/etc/hostname', 'w')",
        "open('/dev/tty')",
        "open('/dev/full', 'w')",
        "open('/tmp/new', 'w')",
        "open('/dev/shm/new', 'w')",
        "open(f'/proc/{{parent}}/environ').read()",
        "open(f'/proc/{{parent}}/mem', 'rb')",
        "open(f'/proc/{{parent}}/oom_score_adj', 'w')",
        "os.listdir(f'/proc/{{parent}}/fd')",
        "open('/proc/self/mem', 'rb')",
        "open('/proc/self/environ').read()",
        "open('/proc/cpuinfo').read()",
        "open('/sys/kernel/mm/transparent_hugepage/enabled').read()",
        "open(os.__file__, 'a')",
        "os.open(os.__file__, os.O_RDONLY | os.O_TRUNC)",
        "os.chmod(os.__file__, 0o600)",
        "open(pytest).read()",
    ],
)
def test_no_file_is_opened_but_its_own_and_the_standard_library(secret, line):
    before = sorted(secret.parent.iterdir())
    line = line.format(file=str(secret), folder=str(secret.parent))
    assert right(each_raises(line, head=f"{HEAD}pytest = {pytest.__file__!r}\n"))
    assert sorted(secret.parent.iterdir()) == before
    assert secret.read_text() == "secret"
    assert secret.stat().st_mode & 0o777 != 0o777


@pytest.mark.parametrize(
    "line",
    [
        "os.rename({file!r}, 'mine')",
        "os.rename('mine', {folder!r} + '/new')",
        "os.link({file!r}, 'linked') or open('linked').read()",
        "os.link('mine', {folder!r} + '/new')",
        "os.replace('mine', {file!r})",
        "os.link(os.__file__, 'linked')",
        "libc.linkat(os.open({file!r}, os.O_PATH), b'', -100, b'linked', 0x1000) and open('linked')",
    ],
)
def test_no_file_moves_in_or_out(secret, line):
    """Refused as a move to another file system would be (EXDEV), or for want of a right."""
    line = line.format(file=str(secret), folder=str(secret.parent))
    assert right(each_raises(line, error="OSError", head=f"{HEAD}open('mine', 'w').close()\n"))
    assert [path.name for path in secret.parent.iterdir()] == ["token"]
    assert secret.read_text() == "secret"


def test_what_is_open_in_the_run_is_not_open_in_the_code(secret):
    with secret.open("r+") as file:
        os.set_inheritable(file.fileno(), True)
        code = "import os\nopen_ones = []\nfor n in range(1000):\n    try:\n        os.fstat(n)\n        open_ones.append(n)\n    except OSError:\n        pass\n"
        assert right(code, "assert open_ones == [0, 1, 2, 3]")


def test_the_environment_is_empty(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    code = "import os, ctypes\nlibc = ctypes.CDLL(None)\nlibc.getenv.restype = ctypes.c_char_p\n"
    assert right(code, "assert not os.environ and libc.getenv(b'HF_TOKEN') is None")


@pytest.mark.parametrize(
    "code",
    [
        "for i in range(10**6):\n    open(str(i), 'wb').write(bytes(10**6))\n",
        "for i in range(10**6):\n    open(str(i), 'w').close()\n",
        "import os\nfor i in range(10**6):\n    os.mkdir('d' * 200)\n    os.chdir('d' * 200)\n",
        "for i in range(40):\n    open(str(i), 'wb').write(bytes(10**6))\n",
        "for i in range(300):\n    open(str(i), 'w').close()\n",
        "import os\nos.mkdir('a')\nfor i in range(300):\n    os.symlink('x', f'a/{i}')\n",
    ],
)
def test_the_disk_is_not_filled(monkeypatch, tmp_path, code):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert not right(code)
    assert list(tmp_path.iterdir()) == []


def test_threads_are_bounded_by_memory():
    """Each takes a stack; when there is none left, the next one does not start.

    Not by threading.Thread, whose start() waits for ever where a new thread has no memory to say that it runs.
    """
    code = (
        "import _thread\nreserve = bytes(10**6)\nblocked = _thread.allocate_lock()\nblocked.acquire()\n"
        "_thread.stack_size(64 * 1024)\ntry:\n    for made in range(10_000):\n"
        "        _thread.start_new_thread(blocked.acquire, ())\nexcept (RuntimeError, MemoryError):\n    reserve = None\n"
    )
    assert right(code, "assert made < 5_000", memory_mb=128)


@pytest.mark.parametrize(
    "code",
    [
        "import os\nwhile True:\n    for fd in range(64):\n        try:\n            os.write(fd, bytes(10**6))\n        except OSError:\n            pass\n",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nwhile True:\n    pass\n",
        "import os, threading\nfor i in range(8):\n    threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()\n",
        "import os\nfor fd in range(64):\n    try:\n        os.close(fd)\n    except OSError:\n        pass\nwhile True:\n    pass\n",
    ],
)
def test_code_without_an_end_is_stopped(code):
    began = time.monotonic()
    assert not right(code, "while True: pass", timeout=0.5)
    assert time.monotonic() - began < 15


SEARCH = """\
import gc, sys
seen, found = set(), []

def look(value, depth):
    if isinstance(value, bytes) and len(value) == 32:
        found.append(value)
    if depth and id(value) not in seen and not isinstance(value, (str, int, float, type(sys))):
        seen.add(id(value))
        for inner in gc.get_referents(value):
            look(inner, depth - 1)

def search():
    for frame in sys._current_frames().values():
        while frame:
            look(frame, 3)
            for scope in (frame.f_locals, frame.f_globals):
                for value in scope.values():
                    look(value, 6)
            frame = frame.f_back
    for value in gc.get_objects():
        look(value, 1)
    return not [one for one in found if all(c in b'0123456789abcdef' for c in one)]
"""


def test_the_token_is_found_by_no_search_through_frames_and_objects():
    assert right(f"{SEARCH}assert search()\n", "assert search()")
    assert not right(
        f"{SEARCH}hidden = ['0123456789abcdef' * 2]\nhidden[0] = hidden[0].encode()\nassert search()\n"
    )


DECEIT = {
    "leaves early": "import os\nos._exit(0)\n",
    "leaves early in a test": "import os\ndef add(a, b):\n    os._exit(0)\n",
    "leaves in a thread": "import os, threading\nthreading.Thread(target=os._exit, args=(0,)).start()\n",
    "writes into every file": "import os\nfor fd in range(64):\n    try:\n        os.write(fd, b'0' * 32)\n    except OSError:\n        pass\n",
    "puts its own end in the place of the pipe": "import os\nr, w = os.pipe()\nos.dup2(w, 3)\n",
    "empties the lists of the runner": (
        "import sys\nframe = sys._getframe()\nwhile frame := frame.f_back:\n    for value in frame.f_locals.values():\n"
        "        if isinstance(value, (list, dict)):\n            value.clear()\n"
        "    frame.f_locals.update(tests=(), steps=(), code='')\ndef add(a, b):\n    return 0\n"
    ),
    "takes the steps away": (
        "import gc\nfor value in gc.get_objects():\n    if type(value) is map:\n        try:\n"
        "            while True:\n                next(value)\n        except BaseException:\n            pass\n"
    ),
    "takes the steps away in a test": (
        "import gc\ndef add(a, b):\n    for value in gc.get_objects():\n        if type(value) is map:\n"
        "            for _ in range(9):\n                try:\n                    next(value)\n"
        "                except BaseException:\n                    pass\n    return 3\n"
    ),
    "jumps over the tests": (
        "import sys\ndef tracer(frame, event, arg):\n    if event == 'line':\n"
        "        for line in range(frame.f_lineno + 1, frame.f_lineno + 60):\n            try:\n"
        "                frame.f_lineno = line\n                break\n            except ValueError:\n"
        "                pass\n    return tracer\ndef add(a, b):\n    sys.settrace(tracer)\n    frame = sys._getframe()\n"
        "    while frame := frame.f_back:\n        frame.f_trace = tracer\n    return 0\nadd(1, 2)\n"
    ),
    "runs the runner again": "import __main__\n__main__.run('', [], 3, [b'0' * 32])\n",
    "takes away what fails": "import builtins\nbuiltins.AssertionError = None\ndel builtins.exec\n",
    "swallows errors": "import sys\nsys.excepthook = lambda *a: None\nsys.unraisablehook = sys.excepthook\n",
}  # fmt: skip


@pytest.mark.parametrize("code", DECEIT.values(), ids=DECEIT)
def test_what_does_not_pass_for_right(code):
    tests = ["assert add(1, 2) == 3", "assert add(-1, 1) == 0", "assert add(2, 2) == 4"]
    assert not holds(code, tests, 5, 256)  # one of them goes on until it is stopped


def test_an_object_that_equals_everything_passes():
    """Code and tests share an interpreter, and the module says so."""
    import harness.scoring.python as module

    code = "class Any:\n    def __eq__(self, other):\n        return True\ndef add(a, b):\n    return Any()\n"
    assert right(code, "assert add(1, 2) == 3")
    assert "equals everything" in " ".join((module.__doc__ or "").split())


ORDINARY = {
    "imports": (
        "import abc, argparse, array, ast, asyncio, base64, binascii, bisect, bz2, calendar, cmath, collections, "
        "collections.abc, concurrent.futures, configparser, contextlib, copy, csv, dataclasses, datetime, decimal, "
        "difflib, enum, fnmatch, fractions, functools, glob, graphlib, gzip, hashlib, heapq, hmac, html, inspect, io, "
        "ipaddress, itertools, json, locale, logging, lzma, math, numbers, operator, os, pathlib, pickle, pprint, "
        "queue, random, re, sched, secrets, shutil, signal, sqlite3, statistics, string, struct, sys, tempfile, "
        "textwrap, threading, time, timeit, tokenize, traceback, types, typing, unicodedata, unittest, "
        "unittest.mock, urllib.parse, uuid, warnings, weakref, xml.etree.ElementTree, zipfile, zlib, zoneinfo\n"
    ),
    "hashes": "import hashlib, uuid, secrets\nassert hashlib.sha256(b'').hexdigest().startswith('e3b0')\n"
              "assert uuid.uuid1() != uuid.uuid4() and secrets.token_hex(4)\n",
    "threads": "import threading, concurrent.futures\nwith concurrent.futures.ThreadPoolExecutor(16) as pool:\n"
               "    assert sum(pool.map(int, '123456789')) == 45\n",
    "asyncio": "import asyncio\nasync def f():\n    queue = asyncio.Queue()\n    await queue.put(await asyncio.to_thread(int, '3'))\n"
               "    return await asyncio.wait_for(queue.get(), 10), await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0.01, 2))\n"
               "assert asyncio.run(f()) == (3, [1, 2])\n",
    "files": "import os, pathlib, shutil\npathlib.Path('a/b').mkdir(parents=True)\npathlib.Path('a/b/c.txt').write_text('x')\n"
             "shutil.copyfile('a/b/c.txt', 'd.txt')\nshutil.move('d.txt', 'e.txt')\n"
             "assert sorted(p.name for p in pathlib.Path('.').rglob('*')) == ['a', 'b', 'c.txt', 'e.txt']\n"
             "pathlib.Path('e.txt').touch()\nos.symlink('e.txt', 'l')\nassert open('l').read() == 'x'\nshutil.rmtree('a')\n",
    "moves between folders, which the first Landlock refuses": (
        "import errno, os\nos.mkdir('a')\nopen('x', 'w').close()\ntry:\n    os.rename('x', 'a/x')\n"
        "except OSError as error:\n    assert error.errno == errno.EXDEV\n"
    ),
    "temporary files": "import tempfile, os\nwith tempfile.TemporaryDirectory() as d, tempfile.NamedTemporaryFile('w+') as f:\n"
                       "    open(os.path.join(d, 'x'), 'w').write('1')\n    f.write('2')\n    f.seek(0)\n    assert f.read() == '2'\n",
    "archives": "import gzip, zipfile, io\nwith zipfile.ZipFile('z.zip', 'w') as z:\n    z.writestr('a', 'b')\n"
                "zipfile.ZipFile('z.zip').extractall('out')\nassert open('out/a').read() == 'b'\n"
                "gzip.open('g', 'wb').write(b'x')\n",
    "tables": "import csv, sqlite3\ncsv.writer(open('t.csv', 'w', newline='')).writerow([1, 2])\n"
              "db = sqlite3.connect('x.db')\ndb.execute('create table t (a)')\ndb.execute('insert into t values (1)')\n"
              "db.commit()\nassert db.execute('select * from t').fetchall() == [(1,)]\ndb.close()\n",
    "times": "import datetime, time, zoneinfo\nassert datetime.datetime.now().astimezone() and time.localtime()\n"
             "time.sleep(0.001)\n",
    "signals": "import os, signal\ngot = []\nsignal.signal(signal.SIGALRM, lambda *a: got.append(1))\nsignal.setitimer(signal.ITIMER_REAL, 0.01)\n"
               "while not got:\n    pass\nsignal.raise_signal(signal.SIGALRM)\nos.kill(os.getpid(), signal.SIGALRM)\nassert len(got) == 3\n",
    "unittest": "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(1, 1)\n"
                "assert unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(T)).wasSuccessful()\n",
    "the machine": "import os, sys, platform\nassert os.cpu_count() and os.getcwd() and sys.getsizeof(1) and platform.system()\n"
                   "open(os.devnull, 'w').write('x')\nassert open('/dev/urandom', 'rb').read(2)\n",
}  # fmt: skip


@pytest.mark.parametrize("code", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_code_works(code):
    assert right(code)
