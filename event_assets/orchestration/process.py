"""How a process ends: its signals, its output that may go away, its exit status.

It imports nothing slow, so that a command handles signals before it imports the rest.
"""

import atexit
import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO, TextIOWrapper
from types import FrameType
from typing import NoReturn, TextIO

INTERRUPTED = "Interrupted."
SIGNALS = [
    number
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    if signal.getsignal(number) is not signal.SIG_IGN  # under nohup, it stays ignored
]
_received: list[int] = []  # signals that have come
_lost: set[int] = set()  # errno values of failed output
_terminals: list[TextIO] = []  # standard error, which Dagster redirects while a step runs
_wakeup: list[int] = []  # the pipe to which Python writes each signal, whoever handles it


class Output(FileIO):
    """Standard output or error, whose text goes nowhere once it cannot be written."""

    def write(self, data: object) -> int:
        """Write bytes; the file descriptor is the null device after an error."""
        try:
            return super().write(data)  # type: ignore[arg-type]  # as FileIO's
        except OSError as error:
            _lost.add(error.errno or 0)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)
            return len(data)  # type: ignore[arg-type]  # as above


@contextmanager
def command() -> Iterator[None]:
    """Run a command, and exit by the status of what ended it.

    A signal ends it at once until `raise_interrupts` is called.

    Raises:
        SystemExit: with 128 and the number of the signal; with 141 if a pipe that reads the output
            was closed; else as the command itself.
    """
    _open_standard_files()
    _protect_output()
    _note_signals()
    for number in SIGNALS:
        signal.signal(number, _exit_now)
    status: object = 0
    try:
        yield
    except SystemExit as end:
        status = end.code
    except KeyboardInterrupt:
        note_interrupt()
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # nothing is left to do but to clean up
    raise SystemExit(_end() or status)


def raise_interrupts() -> None:
    """Raise `KeyboardInterrupt` for a signal from now on, or what Dagster raises for Ctrl-C."""
    for number in SIGNALS if _wakeup else ():  # only in a command
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else _interrupt)


def end_run_by_signals() -> None:
    """Let a process of Dagster's that executes a run end as `command` does."""
    if _wakeup or threading.current_thread() is not threading.main_thread():
        return
    _protect_output()
    _note_signals()
    if signal.SIGHUP in SIGNALS:
        signal.signal(signal.SIGHUP, _interrupt)
    show = sys.excepthook  # what is no Exception is an interrupt, such as a second Ctrl-C
    sys.excepthook = lambda kind, *rest: issubclass(kind, Exception) and show(kind, *rest)
    atexit.register(_exit_by_signal)


def is_interrupted() -> bool:
    """Return whether a signal to end has come."""
    while _wakeup:
        try:
            _received.extend(one for one in os.read(_wakeup[0], 64) if one in SIGNALS)
        except BlockingIOError:
            break
    return bool(_received)


def note_interrupt() -> None:
    """Note a Ctrl-C that came before signals were noted."""
    if _wakeup and not is_interrupted():
        _received.append(signal.SIGINT)


def terminal() -> TextIO:
    """Return the standard error of the command, also while Dagster captures that of a step."""
    return _terminals[0] if _terminals else sys.stderr


def _open_standard_files() -> None:
    """Open the null device in place of closed ones, or the next file, a database, is in it."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)  # Python sets it to None as well


def _protect_output() -> None:
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is not getattr(sys, f"__{name}__"):
            continue  # replaced by a program that runs this one
        encoding = stream.encoding if stream else "utf-8"
        try:
            if stream:
                stream.flush()
        except OSError as error:
            _lost.add(error.errno or 0)
        setattr(sys, name, _open_output(descriptor, encoding))
        if stream is sys.__stderr__:
            _terminals[:] = [_open_output(os.dup(descriptor), encoding)]


def _open_output(descriptor: int, encoding: str) -> TextIO:
    raw = BufferedWriter(Output(descriptor, "w", closefd=False))
    return TextIOWrapper(raw, encoding, errors="backslashreplace", line_buffering=True)


def _note_signals() -> None:
    reader, writer = os.pipe()
    for descriptor in (reader, writer):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _wakeup[:] = reader, writer


def _exit_now(number: int, _: FrameType | None) -> NoReturn:
    print(INTERRUPTED, file=sys.stderr, flush=True)
    os._exit(128 + number)


def _interrupt(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)  # Dagster replaces its handler while it works


def _end() -> int | None:
    """Print what ended the process, if it was not itself, and return the status."""
    if is_interrupted():
        print(INTERRUPTED, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if _received:
        return 128 + _received[0]
    return 128 + signal.SIGPIPE if errno.EPIPE in _lost else None


def _exit_by_signal() -> None:
    if status := _end():
        os._exit(status)  # Dagster's own is 1
