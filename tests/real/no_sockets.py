"""A pytest plugin under which no Python code of its process reaches a network: sockets and names fail as they are asked for."""

from __future__ import annotations

import socket
import sys
from typing import Any


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook; it stays for the life of the process.

    Raises:
        PermissionError: a socket other than one inside this machine is opened, or a host is looked up.
    """
    inside = event == "socket.__new__" and arguments[1] == socket.AF_UNIX
    if (
        event in ("socket.__new__", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname")
        and not inside
    ):
        raise PermissionError(f"{event} {arguments[1:]}: this test runs without a network")


sys.addaudithook(refuse)
