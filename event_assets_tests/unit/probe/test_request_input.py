"""What people copy is read as one request, without the key that is in it."""

from __future__ import annotations

from typing import Any

import pytest

from event_assets.probe.request_input import parse_input
from event_assets.values.errors import ConfigError

ME = {"username": "me", "password": "pass"}
API_KEY = {"type": "api_key", "name": "api_key", "location": "query"}


@pytest.mark.parametrize(
    ("text", "url", "params", "auth", "secrets"),
    [
        ("api.example.com/v1/events", "https://api.example.com/v1/events", {}, None, {}),
        ("//a.example/e", "https://a.example/e", {}, None, {}),
        ("localhost:8000/events", "http://localhost:8000/events", {}, None, {}),
        ("GET https://a.example/e?page=2", "https://a.example/e", {"page": "2"}, None, {}),
        ("GET https://a.example/e HTTP/1.1", "https://a.example/e", {}, None, {}),
        ("“https://a.example/e”.", "https://a.example/e", {}, None, {}),
        ("$ curl https://a.example/e", "https://a.example/e", {}, None, {}),
        (
            "https://a.example/e?api_key=s3cret&status=all",
            "https://a.example/e",
            {"status": "all"},
            API_KEY,
            {"api_key": "s3cret"},
        ),
        (
            "https://a.example/e?serviceKey=s3cret&sort_key=date&organizerKey=7",
            "https://a.example/e",
            {"sort_key": "date", "organizerKey": "7"},
            {"type": "api_key", "name": "serviceKey", "location": "query"},
            {"api_key": "s3cret"},
        ),
        (
            "https://a.example/termine?schluessel=s3cret&seite=1",
            "https://a.example/termine",
            {"seite": "1"},
            {"type": "api_key", "name": "schluessel", "location": "query"},
            {"api_key": "s3cret"},
        ),
        (
            "https://a.example/e?session_token=s3cret",
            "https://a.example/e",
            {},
            {"type": "api_key", "name": "session_token", "location": "query"},
            {"api_key": "s3cret"},
        ),
        ("https://a.example/e?api_key=YOUR_API_KEY", "https://a.example/e", {}, API_KEY, {}),
        ("https://a.example/e?api_key={key}", "https://a.example/e", {}, API_KEY, {}),
        (
            "https://a.example/e?pageToken=abc",
            "https://a.example/e",
            {"pageToken": "abc"},
            None,
            {},
        ),
        (
            "https://me:s3cret@a.example/e",
            "https://a.example/e",
            {},
            {"type": "http_basic"},
            {"username": "me", "password": "s3cret"},
        ),
        ("https://a.example/e?f=1&f=2", "https://a.example/e", {"f": ["1", "2"]}, None, {}),
        ("https://a.example/e?q=a eq 'b'", "https://a.example/e", {"q": "a eq 'b'"}, None, {}),
        (
            "https://a.example/e?limit=5&amp;api_key=s3cret",
            "https://a.example/e",
            {"limit": "5"},
            API_KEY,
            {"api_key": "s3cret"},
        ),
        ("\ufeffhttps://a.exam\u200bple/e\u00a0", "https://a.example/e", {}, None, {}),
        ('https://a.example/e?q={"a":1}', "https://a.example/e", {"q": '{"a":1}'}, None, {}),
        ("https://a.example/e?on=<2024-01", "https://a.example/e", {"on": "<2024-01"}, None, {}),
        ("https://a.example/e?q={0f8-d9}", "https://a.example/e", {"q": "{0f8-d9}"}, None, {}),
    ],
)
def test_an_address_is_read_without_its_key(
    text: str, url: str, params: Any, auth: Any, secrets: Any
) -> None:
    given = parse_input(text)
    found = (given.url, given.params, given.key.config or None, given.key.secrets)
    assert found == (url, params, auth, secrets)


@pytest.mark.parametrize(
    ("command", "auth", "secrets"),
    [
        ("-H 'Authorization: Bearer t0ken'", {"type": "bearer"}, {"token": "t0ken"}),
        ("-H 'Authorization: Bearer <token>'", {"type": "bearer"}, {}),
        (
            "-H 'Authorization: Token t0ken'",
            {"type": "api_key", "name": "Authorization", "location": "header"},
            {"api_key": "Token t0ken"},
        ),
        (
            '--header "x-my-api-key: $KEY"',
            {"type": "api_key", "name": "x-my-api-key", "location": "header"},
            {},
        ),
        (
            "-H 'X-Org-Session: abc'",
            {"type": "api_key", "name": "X-Org-Session", "location": "header"},
            {"api_key": "abc"},
        ),
        ("-u t0ken:", {"type": "http_basic", "password": ""}, {"username": "t0ken"}),
        ("-ume:pass", {"type": "http_basic"}, ME),
        ("-H 'Accept: application/json' -s -o /dev/null", None, {}),
        (
            "-b 'session=abc'",
            {"type": "api_key", "name": "Cookie", "location": "header"},
            {"api_key": "session=abc"},
        ),
        ("-H 'Cookie: a=b' -H 'Authorization: Bearer t0'", {"type": "bearer"}, {"token": "t0"}),
        ("-H 'Authorization: Basic bWU6cGFzcw=='", {"type": "http_basic"}, ME),
        ("-H 'x-app-key: k1' -u me:pass", {"type": "http_basic"}, ME),
        ("-u me:pass --fail-with-body -O --no-progress-meter", {"type": "http_basic"}, ME),
    ],
)
def test_a_curl_command_says_how_the_key_is_sent(command: str, auth: Any, secrets: Any) -> None:
    given = parse_input(None, f"curl {command} https://a.example/e")
    assert (given.url, given.key.config or None, given.key.secrets) == (
        "https://a.example/e",
        auth,
        secrets,
    )


@pytest.mark.parametrize(
    ("query", "headers", "left"),
    [
        ("?x-key=k1&x-token=k2", "", ["k1"]),
        ("?token=k1", "-H 'token: k2'", ["k1"]),
        ("?token=k1&token=k2", "", []),
        ("?token=k0&token=k1", "-H 'x-key: k2'", ["k1"]),
        ("", "-H 'X-Key: k1' -H 'X-Key: k2'", []),
        ("?api_key=k1", "-u me:k2", ["k1"]),
        ("?api_key=k2&token=YOUR_TOKEN", "", []),
    ],
)
def test_one_key_is_taken_out_and_the_others_are_known(
    query: str, headers: str, left: list[str]
) -> None:
    given = parse_input(None, f"curl 'https://a.example/e{query}' {headers}")
    assert [*given.key.secrets.values()][-1] == "k2"
    assert [*given.other_keys] == left
    assert sorted([*given.params.values(), *given.headers.values()]) == left


def test_a_curl_command_with_a_body_is_a_post() -> None:
    given = parse_input(None, """curl https://a.example/q -H 'site: 7' -d '{"query": {"a": 1}}'""")
    assert (given.method, given.body, given.headers) == ("POST", {"query": {"a": 1}}, {"site": "7"})


def test_only_an_accept_of_a_version_is_kept() -> None:
    headers = "-H 'Accept: application/json, */*' -H 'accept: application/vnd.x.v2+json'"
    given = parse_input(None, f"curl {headers} https://a.example/e")
    assert given.headers == {"accept": "application/vnd.x.v2+json"}


def test_what_browsers_send_to_any_server_is_left_out() -> None:
    names = (
        "sec-ch-ua",
        "Sec-Fetch-Mode",
        "DNT",
        "upgrade-insecure-requests",
        "if-none-match",
        "If-Modified-Since",
        "TE",
    )
    headers = " ".join(f"-H '{name}: x'" for name in (*names, "accept-language"))
    headers += " -H 'User-Agent: Mozilla/5.0 (X11)'"
    assert parse_input(None, f"curl {headers} https://a.example/e").headers == {
        "accept-language": "x"
    }


@pytest.mark.parametrize("option", ["-A ", "-H 'User-Agent: '", "--user-agent "])
def test_an_agent_that_names_who_asks_is_kept(option: str) -> None:
    given = parse_input(None, f"curl {option}'Events/1 (me@a.example)' https://a.example/e")
    assert given.headers == {"User-Agent": "Events/1 (me@a.example)"}


def test_the_data_of_a_curl_command_with_get_is_a_query() -> None:
    given = parse_input(None, "curl -sSG https://a.example/e -d status=all -d limit=5")
    assert (given.method, given.params) == ("GET", {"status": "all", "limit": "5"})


@pytest.mark.parametrize(
    "command",
    [
        r"""curl $'https://a.example/e?q=it\'s' -H $'X-Key: a\u0021b' -H 'site: 7'""",
        'curl ^"https://a.example/e?q=it\'s^" ^\r\n  -H ^"X-Key: a!b^" ^\r\n  -H ^"site: 7^"',
        """curl "https://a.example/e?q=it's" ^\r\n -H "X-Key: a!b" ^\r\n -H "site: 7\"""",
        """curl "https://a.example/e?q=it's" `\n -H "X-Key: a!b" `\n -H "site: 7\"""",
        "$ curl 'https://a.example/e?q=it%27s' -H “X-Key: a!b” -H 'site: 7' | jq '.'",
        """curl "https://a.example/e?q=it's" -H 'X-Key: a!b' -H 'site: 7' 2>/dev/null > out.json""",
        """curl "https://a.example/e?q=it's" -H 'X-Key: a!b' -H 'site: 7' && echo "done" """,
    ],
)
def test_a_curl_command_is_read_as_browsers_copy_it(command: str) -> None:
    given = parse_input(None, command)
    assert (given.url, given.params) == ("https://a.example/e", {"q": "it's"})
    assert (given.key.secrets, given.headers) == ({"api_key": "a!b"}, {"site": "7"})


def test_a_body_in_a_curl_command_of_windows_is_read() -> None:
    command = 'curl "https://a.example/q" --data-raw ^"^{^\\^"size^\\^":5^}^"'
    assert parse_input(None, command).body == {"size": 5}


def test_the_base_url_is_all_but_the_last_part_of_the_path() -> None:
    for url, base, path in (
        ("https://a.example/v1/events/", "https://a.example/v1", "/events/"),
        ("https://a.example/events", "https://a.example", "/events"),
        ("https://a.example", "https://a.example", "/"),
    ):
        given = parse_input(url)
        assert (given.base_url, given.path) == (base, path)


@pytest.mark.parametrize(
    ("url", "curl", "problem"),
    [
        ("ftp://a.example", None, "must be a URL"),
        ("https://a.example/events/page/2/", None, "the number of a page in its path"),
        (None, "curl -s", "must have one URL, not none"),
        (None, "curl https://a.example https://b.example", "must have one URL, not 2"),
        (None, "curl --cacert ca.pem https://a.example", "the option `--cacert`: leave it out"),
        (None, "curl -E cert.pem https://a.example", "the option `-E`: leave it out"),
        (None, "wget https://a.example", "no curl command.*Copy as cURL.* by --key-from-env"),
        ("http GET https://a.example/v1 X-Api-Key:s3", None, "give the request as curl"),
        ("Invoke-RestMethod https://a.example/v1", None, "give the request as curl"),
        ('fetch("https://a.example/v1", {"method": "GET"});', None, "give the request as curl"),
        ("[events](https://a.example/v1)", None, "give it alone"),
        (None, "curl 'https://a.example", "a quote that is not closed"),
        (None, "curl https://a.example -d 'a=b'", "is not JSON"),
        (None, """curl https://a.example -d '{"q": {"api_key": "s3"}}'""", "`api_key` holds a key"),
        (None, "curl -X DELETE https://a.example", "by GET or POST"),
        (None, "curl https://a.example -d @body.json", "reads the file `body.json`: write what"),
        (None, "curl https://a.example -H @keys.txt", "reads the file `keys.txt`: write what"),
        ("https://a.example/v1/{org_id}/events", None, "`{org_id}` in it stands for a value"),
        ("https://a.example/v1/:org/events", None, "`:org` in it stands for a value"),
        ("https://a.example/v1/<org>/events", None, "`<org>` in it stands for a value"),
        ("https://a.example/v1/<org>", None, "`<org` in it stands for a value"),
        ("https://a.example/v1/YOUR_ORG_ID/events", None, "`YOUR_ORG_ID` in it stands for a value"),
        ("https://[a.example/v1", None, "must have an IPv6 address in brackets"),
        ("{{base_url}}/events", None, "`{{base_url}}` in it stands for a value"),
        ("https://a.example/e?group={group id}", None, "`{group id}` in it stands for a value"),
    ],
)
def test_what_is_no_request_is_one_sentence(url: Any, curl: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse_input(url, curl)
