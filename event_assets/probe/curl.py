"""Read a curl command, as documentation has it or a browser copies it."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from event_assets.values.errors import ConfigError

OPTIONS = {  # with a value, by what they are here; those of `ignored` change nothing here
    "headers": "-H --header",
    "methods": "-X --request",
    "users": "-u --user",
    "data": "-d --data --data-raw --data-ascii --data-binary --data-urlencode --json",
    "urls": "--url",
    "tokens": "--oauth2-bearer",
    "cookies": "-b --cookie",
    "agents": "-A --user-agent",
    "ignored": "-o --output -e --referer -m --max-time --connect-timeout --retry -w -x --proxy",
}
FLAGS = (  # that change nothing here
    "-s --silent -S --show-error -L --location -k --insecure -i --include -v --verbose -g "
    "--globoff -f --fail -N --no-buffer -# --progress-bar --compressed --http1.1 --http2 "
    "--fail-with-body --no-progress-meter -O --remote-name -J --retry-all-errors --tlsv1.2"
)
LINE_END = re.compile(r"[\\^`]\s*\n")  # behind which a command goes on, in any shell
SHELL = re.compile(r"[|;&]+|\d?>.*")  # what comes behind the command
QUOTES = str.maketrans("\u201c\u201d\u2018\u2019", "\"\"''")  # of word processors
ANSI_QUOTED = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)  # bash: with escapes


@dataclass(frozen=True)
class CurlCommand:
    """What a curl command sends."""

    address: str
    method: str = "GET"
    headers: Sequence[str] = ()
    users: Sequence[str] = ()
    cookies: Sequence[str] = ()
    data: str = ""


def read_curl(command: str) -> CurlCommand:
    """Return what a curl command sends; its data are in the address of a GET.

    Raises:
        ConfigError: it is none, or has an option that may change what is sent.
    """
    found, others = _parse_options(_split(command))
    if files := [one[1:] for one in (*found.headers, *found.data) if one.startswith("@")]:
        raise ConfigError(
            f"The curl command reads the file `{files[0]}`: write what is in it in its place."
        )
    if options := [word for word in others if word.startswith("-")]:
        # what follows may be its value, and no address
        raise ConfigError(f"The curl command has the option `{options[0]}`: leave it out.")
    urls = [*found.urls, *others]
    if len(urls) != 1:
        raise ConfigError(f"The curl command must have one URL, not {len(urls) or 'none'}.")
    address, data = urls[0], "&".join(found.data)
    if data and found.get:
        address, data = f"{address}{'&' if '?' in address else '?'}{data}", ""
    method = next(iter(found.methods), "POST" if data else "GET").upper()
    if method not in ("GET", "POST"):
        raise ConfigError(f"A list is read by GET or POST, not by {method}.")
    headers = [*found.headers, *(f"Authorization: Bearer {token}" for token in found.tokens)]
    headers += [f"User-Agent: {agent}" for agent in found.agents]
    return CurlCommand(address, method, headers, found.users, found.cookies, data)


def _split(command: str) -> list[str]:
    """Return the words behind `curl` in a command of a shell, or of the one of Windows."""
    command = LINE_END.sub(" ", command)
    if '^"' in command:  # where ^ escapes the next character
        command = re.sub(r"\^(.)", r"\1", command)
    command = ANSI_QUOTED.sub(
        lambda found: shlex.quote(found[1].encode("raw_unicode_escape").decode("unicode_escape")),
        command,
    )
    try:
        program, *words = shlex.split(command.translate(QUOTES)) or [""]
    except ValueError:
        raise ConfigError("The curl command has a quote that is not closed.") from None
    words = [*takewhile(lambda word: not SHELL.fullmatch(word), words)]
    if program.lower() not in ("curl", "curl.exe"):
        raise ConfigError(
            "This is no curl command: it must begin with `curl`, as browsers and Postman copy a "
            "request (Copy as cURL); or give the URL alone, with the key by --key-from-env."
        )
    return words


def _parse_options(words: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return the options that have values, as lists, and the other words."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name, flags in OPTIONS.items():
        parser.add_argument(*flags.split(), dest=name, action="append", default=[])
    parser.add_argument("-G", "--get", action="store_true")
    parser.add_argument(*FLAGS.split(), action="store_true")
    try:
        return parser.parse_known_args(words)
    except argparse.ArgumentError as error:
        raise ConfigError(f"The curl command has no value for {error.argument_name}.") from None
