"""Every form in which a server or a library may quote a secret."""

import base64
import html
import json
import re
from collections.abc import Callable
from html.entities import html5
from urllib.parse import quote, unquote_plus

from hypothesis import strategies as st

ASCII_SECRETS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=64
)


NAMES = {char: f"&{name}" for name, char in html5.items() if name.endswith(";")}


def in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def upper(text: str) -> str:
    return re.sub(r"(?<=\\u)....", lambda digits: digits[0].upper(), text)


def all_in_json(text: str) -> str:
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def specials_in_json(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else all_in_json(c) for c in text)


def lower_quote(text: str) -> str:
    return re.sub("%..", lambda escape: escape[0].lower(), quote(text, safe=""))


def all_quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def in_base64(text: str, around: str = "") -> str:
    return base64.b64encode(f"{around}{text}".encode()).decode()


# Those that begin with `JSON` are the text between the quotes of a text in JSON.
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda secret: secret,
    "hexadecimal digits": lambda secret: secret.encode().hex(),
    "hexadecimal digits in large letters": lambda secret: secret.encode().hex().upper(),
    "JSON": in_json,
    "JSON, all escaped": all_in_json,
    "JSON, all escaped in large letters": lambda secret: upper(all_in_json(secret)),
    "JSON, as .NET and Gson": specials_in_json,
    "JSON, as .NET in large letters": lambda secret: upper(specials_in_json(secret)),
    "JSON, as PHP": lambda secret: in_json(secret).replace("/", "\\/"),
    "JSON in JSON": lambda secret: in_json(in_json(secret)),
    "JSON in JSON, as .NET": lambda secret: in_json(specials_in_json(secret)),
    "repr": lambda secret: repr(secret)[1:-1],
    "repr of bytes": lambda secret: repr(secret.encode())[2:-1],
    "percent-encoded": quote,
    "percent-encoded, slashes too": lambda secret: quote(secret, safe=""),
    "percent-encoded in small letters": lower_quote,
    "percent-encoded, all": all_quoted,
    "percent-encoded twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "percent-encoded JSON": lambda secret: quote(in_json(secret), safe=""),
    "percent-encoded HTML": lambda secret: quote(html.escape(secret), safe=""),
    "percent-encoded, read as a form": lambda secret: unquote_plus(quote(secret, safe="+")),
    "JavaScript": lambda secret: re.sub(
        r"[ -/:-@[-`{-~]", lambda char: f"\\x{ord(char[0]):02X}", secret
    ),
    "HTML": html.escape,
    "HTML, of HTML": lambda secret: html.escape(html.escape(secret)),
    "HTML, by numbers": lambda secret: "".join(f"&#{ord(c)};" for c in secret),
    "HTML, by hexadecimal numbers": lambda secret: "".join(f"&#x{ord(c):X};" for c in secret),
    "HTML, by names": lambda secret: "".join(NAMES.get(c, c) for c in secret),
    "base64": in_base64,
    "JSON, of base64 that is split by MIME": lambda secret: in_json(
        base64.encodebytes(secret.encode() * 3).decode()
    ),
    "Basic": lambda secret: f"Basic {in_base64(secret, 'user:')}",
    "JSON, of Basic, as .NET": lambda secret: specials_in_json(in_base64(secret, "me:")),
    "base64 of JSON": lambda secret: in_base64(json.dumps({"key": secret})),
    "base64 of HTML": lambda secret: in_base64(html.escape(secret), "key: "),
    "base64 of base64": lambda secret: in_base64(in_base64(secret)),
    "base64 of Basic": lambda secret: in_base64(f"Basic {in_base64(secret, 'user:')}"),
    "base64 of percent-encoded": lambda secret: in_base64(quote(secret, safe=""), "user:"),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(b"u" + secret.encode()).decode(),
    "JSON, split over lines": lambda secret: in_json("\n".join(re.findall(r"(?s).{1,5}", secret))),
    "JSON, split over lines of Windows": lambda secret: in_json(f"{secret[:4]}\r\n{secret[4:]}"),
}
