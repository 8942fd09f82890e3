"""Readers that do what a hostile file would make of one: each is called in the confined child of a story."""

import contextlib
import encodings.idna  # noqa: F401 - connecting would open its file first, and be refused for that
import os
import socket
import subprocess
from pathlib import Path


def dials(text):
    with contextlib.suppress(BaseException):  # who attacks catches what is raised
        socket.create_connection(("127.0.0.1", int(text)), 2)


def starts(text):
    with contextlib.suppress(BaseException):
        subprocess.run(["/bin/touch", text.decode()], check=True)
    os.execv("/bin/touch", ["touch", text.decode()])  # noqa: S606


def steals(text):
    with contextlib.suppress(BaseException):
        os.write(2, Path(text.decode()).read_bytes())


def writes(text):
    Path(text.decode()).write_text("here")


def grows(text):
    kept = []
    while True:
        kept.append(bytearray(1 << 24))


def turns(text):
    while True:
        pass


def tells(text):
    raise ValueError(" ".join(os.environ))
