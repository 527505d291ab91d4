"""Mistakes in a source's YAML: what is changed, the line that is at fault, and what is said."""

from dataclasses import dataclass

YAML = """\
type: event_assets.EventApi
attributes:
  rest_api:
    client:
      base_url: http://127.0.0.1:9
      headers:
        Accept-Language: en
      auth:
        type: api_key
        name: key
        location: query
    resource_defaults:
      primary_key: id
      write_disposition: merge
    resources:
      - name: event_data
        endpoint:
          path: /v1/events
          method: GET
          params:
            sort: id
            order: asc
          data_selector: data
          incremental:
            cursor_path: updated_at
            start_param: since
          paginator:
            type: offset
            limit: 100
            total_path: total
      - name: venues
        endpoint:
          path: /v1/venues
          response_actions:
            - status_code: 404
              action: ignore
          paginator:
            type: cursor
            cursor_path: next
            cursor_param: after
  fields:
    id:
      type: text
      nullable: false
    name:
      type: text
      from: name.text
      description: Its name.
    start_time:
      type: timestamp
      timezone: UTC
  schedule: "*/15 * * * *"
  full_sync: "0 3 * * *"
  freshness:
    warn_after_minutes: 30
    fail_after_minutes: 60
  concurrency: 4
  timeouts:
    connect: 5
    read: 30
  max_answer_mb: 64
  max_rejects: 5%
  resume_hours: 6
  exclude:
    - venue.location
  ignore_changes:
    - updated_at
  removed_when:
    status: deleted
  owners:
    - team:events
    - a@example.com
"""


@dataclass(frozen=True)
class Mistake:
    """One change of the YAML; `at` begins in the line at fault, where else the new text ends."""

    old: str
    new: str
    said: str
    at: str = ""

    @property
    def text(self) -> str:
        """Return the YAML with the mistake."""
        assert YAML.count(self.old) == 1, self.old
        return YAML.replace(self.old, self.new)

    @property
    def line(self) -> int:
        """Return the number of the line at fault."""
        end = self.text.index(self.at) if self.at else YAML.index(self.old) + len(self.new.rstrip())
        return self.text.count("\n", 0, end) + 1


M = Mistake
TYPOS = [
    M("type: event_assets", "tipe: event_assets", "did you mean `type`?"),
    M("attributes:\n", "attribute:\n", "did you mean `attributes`?"),
    M("  rest_api:", "  rest_ap:", "did you mean `rest_api`?"),
    M("    client:", "    clint:", "did you mean `client`?"),
    M("base_url:", "base_ulr:", "did you mean `base_url`?"),
    M("headers:", "header:", "did you mean `headers`?"),
    M("      auth:", "      auht:", "did you mean `auth`?"),
    M("location:", "locaton:", "did you mean `location`?"),
    M("resource_defaults:", "resource_default:", "did you mean `resource_defaults`?"),
    M("primary_key:", "primary_keys:", "did you mean `primary_key`?"),
    M("write_disposition:", "write_dispositon:", "did you mean `write_disposition`?"),
    M("    resources:", "    resource:", "did you mean `resources`?"),
    M("- name: event_data", "- nam: event_data", "did you mean `name`?"),
    M(
        "  endpoint:\n          path: /v1/events",
        "  endpont:\n          path: /v1/events",
        "did you mean `endpoint`?",
        at="  endpont",
    ),
    M("path: /v1/events", "pth: /v1/events", "did you mean `path`?"),
    M("method:", "methd:", "did you mean `method`?"),
    M("params:", "parms:", "did you mean `params`?"),
    M("data_selector:", "data_selektor:", "did you mean `data_selector`?"),
    M("incremental:", "incremental_:", "did you mean `incremental`?"),
    M("cursor_path: updated_at", "cursor_pth: updated_at", "did you mean `cursor_path`?"),
    M("start_param:", "start_parm:", "did you mean `start_param`?"),
    M("limit:", "limitt:", "did you mean `limit`?"),
    M("total_path:", "total_pth:", "did you mean `total_path`?"),
    M("response_actions:", "response_action:", "did you mean `response_actions`?"),
    M("status_code:", "statuscode:", "did you mean `status_code`?"),
    M("cursor_param:", "cursor_parameter:", "did you mean `cursor_param`?"),
    M("  fields:", "  field:", "did you mean `fields`?"),
    M("nullable:", "nulable:", "did you mean `nullable`?"),
    M("from:", "fromm:", "did you mean `from`?"),
    M("description:", "descripton:", "did you mean `description`?"),
    M("timezone:", "time_zone:", "did you mean `timezone`?"),
    M("schedule:", "shedule:", "did you mean `schedule`?"),
    M("full_sync:", "fullsync:", "did you mean `full_sync`?"),
    M("freshness:", "freshnes:", "did you mean `freshness`?"),
    M("warn_after_minutes:", "warn_after_minute:", "did you mean `warn_after_minutes`?"),
    M("concurrency:", "concurency:", "did you mean `concurrency`?"),
    M("    connect:", "    conect:", "did you mean `connect`?"),
    M("max_rejects:", "max_reject:", "did you mean `max_rejects`?"),
    M("removed_when:", "remove_when:", "did you mean `removed_when`?"),
    M("owners:", "owner:", "did you mean `owners`?"),
    M("resume_hours: 6", "checkpoint_rows: 1000", "`checkpoint_rows` is gone, delete it"),
]
VALUES = [
    M("event_assets.EventApi", "event_assets.EventApis", "did you mean `event_assets.EventApi`?"),
    M("event_assets.EventApi", "of.nobody", "is not a known component"),
    M("event_assets.EventApi", "event_assets.component.EventApi", "mean `event_assets.EventApi`?"),
    M("event_assets.EventApi", ".inf", "must be text, not inf"),
    M("primary_key: id", "primary_key: [1]", "must be text, not 1"),
    M("primary_key: id", "primary_key: '{'", "must be the path of a field, or a list of paths"),
    M("path: /v1/events", "path:", "must be text, not nothing"),
    M("path: /v1/venues", 'path: "/v1/{"', "has a brace without its partner"),
    M("cursor_path: next", "cursor_path: ~", "must be text, not nothing"),
    M("action: ignore", "action:", "must be one of ignore, not nothing"),
    M("location: query", "location: qury", "did you mean `query`? Allowed: "),
    M("type: api_key", "type: api_kei", "did you mean `api_key`? Allowed: "),
    M("write_disposition: merge", "write_disposition: append", "write `merge`, or nothing"),
    M("name: event_data", "name: event_date", "there must be a resource named `event_data`"),
    M("name: venues", "name: event_data", "each resource needs a name of its own"),
    M("name: venues", "name: Venues", "a resource cannot be called `Venues`"),
    M("name: venues", "name: event_changes", "a resource cannot be called `event_changes`"),
    M("name: venues", "name: _dlt_loads", "a resource cannot be called `_dlt_loads`"),
    M("name: venues", "name: 5", "must be text"),
    M("base_url: http://127.0.0.1:9", "base_url: 127.0.0.1:9", "must be a URL such as https://"),
    M(
        "base_url: http://127.0.0.1:9",
        "base_url: http://me:secret@c",
        "must not hold a user or password",
    ),
    M("base_url: http://127.0.0.1:9", "base_url: http://a/b?key=secret", "must end before `?`"),
    M("Accept-Language: en", "Accept-Language: [en]", "cannot be sent"),
    M("path: /v1/events", "path: ''", "is empty: write it, or delete it"),
    M(
        "path: /v1/events",
        "path: https://me:secret@c/v1/events",
        "must not hold a user or password: use `auth`",
    ),
    M("Accept-Language: en", 'Accept-Language: "en\\nde"', "holds the character U+000A, which"),
    M("path: /v1/events", "path: [a]", "must be text, not a list"),
    M("path: /v1/events", 'path: "/v1/{{ envi.X }}"', "cannot be filled in"),
    M("path: /v1/events", 'path: "/v1/{{ env.X"', "a template begins with {{ and ends with }}"),
    M("method: GET", "method: FETCH", "is not a known value. Allowed: "),
    M("sort: id", "sort: {by: id}", "write JSON as a text, in quotes"),
    M("data_selector: data", "data_selector: [data]", "must be text, not a list"),
    M("data_selector: data", 'data_selector: "data["', "is not a valid JSON path"),
    M("cursor_path: updated_at", "cursor_path: ''", "is empty: write it, or delete it"),
    M("type: offset", "type: ofset", "did you mean `offset`? Allowed: "),
    M("limit: 100", "limit: 0", "must be 1 or more, not 0"),
    M("limit: 100", "limit: -5", "must be 1 or more, not -5"),
    M("limit: 100", "limit: 2000000", "must be 1,000,000 or less, not 2000000"),
    M("limit: 100", "limit: .inf", "must be a whole number, not inf"),
    M("limit: 100", "limit: many", "must be a whole number, not 'many'"),
    M("limit: 100", "limit: 10.5", "must be a whole number, not 10.5"),
    M(
        "            limit: 100\n",
        "",
        "`limit` is missing",
        at="paginator:\n            type: offset",
    ),
    M("total_path: total", 'total_path: "a["', "is not a valid JSON path"),
    M("status_code: 404", "status_code: 4xx", "must be a whole number, not '4xx'"),
    M("status_code: 404", "status_code: 40", "must be 100 or more, not 40"),
    M("action: ignore", "action: retry", "`retry` is not a known value. Allowed: ignore"),
    M(
        "cursor_param: after",
        "cursor_param: after\n            cursor_body_path: a",
        "'cursor_param' or 'cursor_body_path' must be provided",
        at="cursor_param",
    ),
    M("fields:\n    id:", "fields:\n    key:", "`id` is missing", at="  fields:"),
    M(
        "      type: text\n      nullable",
        "      type: bigint\n      nullable",
        "must be `type: text`",
        at="    id:",
    ),
    M("type: timestamp", "type: datetime", "did you mean `date`? Allowed: text, timestamp, date"),
    M("    start_time:", "    Start-Time:", "cannot be a column name: write `start_time`"),
    M("    start_time:", "    last_seen_at:", "`last_seen_at` is reserved"),
    M("from: name.text", "from: '{a'", "must be a path like a.b or a.0, a list, or a template"),
    M("from: name.text", "from: {a: b}", "must be text or a list, not a mapping"),
    M("from: name.text", "from:\n        - a\n        - [b]", "must be text, not a list"),
    M("description: Its name.", "format: epoch_s", "is for `type: timestamp` only"),
    M("timezone: UTC", "timezone: Europe/Berlim", "neither a known zone nor a path"),
    M("timezone: UTC", "format: epoch_h", "must be epoch_s, epoch_ms or a pattern"),
    M("timezone: UTC", "format: '%Y-%Q'", "must be epoch_s, epoch_ms or a pattern"),
    M("nullable: false", "nullable: never", "must be true or false, not 'never'"),
    M('"*/15 * * * *"', '"*/15 * * *"', "must be a cron expression of five fields"),
    M('"*/15 * * * *"', "hourly", "must be a cron expression of five fields"),
    M('"*/15 * * * *"', '"0 0 31 4,6 *"', "must be a cron expression of five fields"),
    M('"*/15 * * * *"', "5", "must be text, not 5"),
    M('"0 3 * * *"', '"0 33 * * *"', "must be a cron expression of five fields"),
    M(
        "            start_param: since\n",
        "",
        "needs an endpoint with `incremental` that sends",
        at="full_sync",
    ),
    M("warn_after_minutes: 30", "warn_after_minutes: 90", "less than `fail_after_minutes`"),
    M("fail_after_minutes: 60", "fail_after_minutes: soon", "must be a number, not 'soon'"),
    M("    fail_after_minutes: 60\n", "", "`fail_after_minutes` is missing", at="freshness:"),
    M("warn_after_minutes: 30", "warn_after_minutes: 0.5", "must be 1 or more, not 0.5"),
    M("fail_after_minutes: 60", "fail_after_minutes: .inf", "must be a number, not inf"),
    M("read: 30", "read: 100_000", "must be 86,400 or less, not 100000"),
    M("concurrency: 4", "concurrency: true", "must be a number, not true"),
    M("concurrency: 4", "requests_per_second: true", "must be a number, not true"),
    M("warn_after_minutes: 30", "warn_after_minutes: true", "must be a number, not true"),
    M("concurrency: 4", "concurrency: 0", "must be 1 or more, not 0"),
    M("concurrency: 4", "concurrency: 1000000", "must be 1,000 or less, not 1000000"),
    M("concurrency: 4", "concurrency: '-1'", "must be 1 or more, not '-1'"),
    M(
        "concurrency: 4",
        'concurrency: "{{ env.NOT_SET_HERE }}"',
        "the variable NOT_SET_HERE is not",
    ),
    M('"*/15 * * * *"', '"{{ env.NOT_SET_HERE }}"', "the variable NOT_SET_HERE is not set"),
    M("concurrency: 4", "requests_per_second: 0", "must be more than 0, not 0"),
    M("concurrency: 4", "requests_per_second: .inf", "must be a number, not inf"),
    M("concurrency: 4", "requests_per_second: .nan", "must be a number, not nan"),
    M("concurrency: 4", "concurrency: 1.5", "must be a whole number, not 1.5"),
    M("connect: 5", "connect: 0", "must be more than 0, not 0"),
    M("connect: 5", "connect: .inf", "must be a number, not inf"),
    M("status_code: 404", "status_code: 4040", "must be 599 or less, not 4040"),
    M("max_answer_mb: 64", "max_answer_mb: 10000000", "must be 100,000 or less, not 10000000"),
    M("fail_after_minutes: 60", "fail_after_minutes: 1000000", "must be 525,600 or less"),
    M("start_param: since", "start_param: since\n            lag: -1", "must be 0 or more, not -1"),
    M(
        "start_param: since",
        "start_param: since\n            lag: .nan",
        "must be a number, not nan",
    ),
    M("max_answer_mb: 64", "max_answer_mb: 64 MB", "must be a whole number, not '64 MB'"),
    M("max_rejects: 5%", "max_rejects: 5 percent", "must be a percentage such as 5%"),
    M("max_rejects: 5%", "max_rejects: 5", "must be a percentage such as 5%"),
    M('"*/15 * * * *"', '"0 0 31 2 *"', "that comes"),
    M("    name:\n", "    5:\n", "put `5` in quotes: YAML reads a number", at="    5:"),
    M("            type: offset\n", "", "`type` is missing", at="paginator:\n            limit"),
    M(
        "          paginator:\n            type: cursor\n            cursor_path: next\n"
        "            cursor_param: after\n",
        "          paginator: offset\n",
        "`limit` is missing",
    ),
    M("resume_hours: 6", "resume_hours: -1", "must be 0 or more, not -1"),
    M("resume_hours: 6", "resume_hours: .inf", "must be a number, not inf"),
    M("exclude:\n    - venue.location", "exclude: venue.location", "must be a list, not 'venue.lo"),
    M("- venue.location", "- {a: b}", "must be text, not a mapping"),
    M("removed_when:\n    status: deleted", "removed_when: deleted", "must be a mapping"),
    M("status: deleted", "status: {a: b}", "must be a value, a list of values, or true"),
    M("- team:events", "- events", "must be an e-mail address, or `team:` and a name"),
    M("  concurrency: 4", "  accounts: [a, a]", "`a` is listed twice"),
    M("  concurrency: 4", "  accounts: {fiel: x}", "did you mean `file`?"),
    M(
        "  concurrency: 4",
        "  windows:\n    param_from: a\n    param_to: b\n    cap: 1",
        "must be 2 or more",
    ),
    M(
        "  concurrency: 4",
        "  windows: {param_from: a, param_to: b, cap: 9, since: x}",
        "must be a date like 2024-12-31",
    ),
    M(
        "  concurrency: 4",
        "  windows: {param_from: a, param_to: b, cap: 9, since: 2030-01-01, until: 2020-01-01}",
        "`since` must be before `until`",
    ),
    M(
        "  concurrency: 4",
        "  windows: {param_from: order, param_to: b, cap: 9}",
        "`windows` sets `order`: delete it, and set its `since` and `until`",
        at="            order: asc",
    ),
    M(
        "  concurrency: 4",
        "  windows: {param_from: a, param_to: a, cap: 9}",
        "`param_from` and `param_to` must be two parameters",
    ),
    M(
        "  concurrency: 4",
        "  windows: {param_from: a, param_to: b, cap: 9, format: '%Y-%Q'}",
        "`format` must be epoch_s, epoch_ms or a pattern like %Y-%m-%d",
    ),
]
OTHERS = [
    M(
        "    start_time:\n      type: timestamp\n      timezone: UTC\n",
        "  windows: {param_from: a, param_to: b, cap: 9, since: -3d}\n",
        "need a time or date `start_time` in `fields`",
        at="  windows",
    ),
    M("from: name.text", "from: names[0].text", "`from` must be a path like a.b or a.0"),
    M("- venue.location", "- venues[*].location", "is not a path in a record, such as a.b or a.0"),
    M("primary_key: id", "endpoint: /v1", "must be a mapping, not '/v1'"),
    M("sort: id", "sort: !!binary aGk=", "delete `!!binary`: no setting is of that type"),
    M("sort: id", "1.5: id", "put `1.5` in quotes: YAML reads a number"),
    M("Accept-Language: en", "Accept Language: en", "cannot be the name of a header"),
    M("Accept-Language: en", "Content-Length: '5'", "is set by itself: delete it"),
    M("base_url: http://127.0.0.1:9", "base_url: [http://a]", "must be text, not a list"),
    M(
        "base_url: http://127.0.0.1:9",
        'base_url: "{{ X_URL }}"',
        "put `env.` before the name of a variable",
    ),
    M("        type: api_key", "        type: [bearer]", "must be one of api_key, bearer, "),
    M("location: query", "location: [query]", "must be one of header, cookie, query, param, not"),
    M("from: name.text", "from: name..text", "`from` must be a path like a.b or a.0, a list, or a"),
    M("- venue.location", "- ''", "`` is not a path in a record"),
    M("status: deleted", "sta..tus: deleted", "`sta..tus` is not a path in a record"),
    M("from: name.text", "from: $.name.text", "must be a path like a.b or a.0, a list, or a"),
    M("  concurrency: 4", "  only: []", "is empty, and would keep everything: list a path"),
    M("base_url: http://127.0.0.1:9", "base_url: $X", 'variable as "{{ env.EVENTS_API_URL }}"'),
    M("base_url: http://127.0.0.1:9", "base_url: ${X}", "is not filled in: write '{{ env.X }}'"),
    M("  concurrency: 4", "  accounts: [~]", "must be text, in quotes, not nothing"),
    M(
        "attributes:\n",
        "requirements: 5\nattributes:\n",
        "must be a mapping, not 5",
        at="requirements",
    ),
    M(
        "attributes:\n",
        "post_processing: {asset: []}\nattributes:\n",
        "did you mean `assets`?",
        at="post_processing",
    ),
    M("name: venues", f"name: {'v' * 200}", "is not long, and some are reserved"),
    M(
        "limit: 100",
        "limit: 100\n            offset_param: limit",
        "must be two parameters, not both",
    ),
    M("limit: 100", "limit: 100\n            offset_param: ''", "is empty: write it, or delete it"),
    M("cursor_param: after", "cursor_param: ' '", "is empty: write it, or delete it"),
    M(
        "start_param: since",
        "start_param: since\n            end_value: 5\n            end_param: since",
        "`start_param` and `end_param` must be two parameters, not both `since`",
    ),
    *(
        M("start_param: since", f"start_param: since\n            initial_value: {given}", said)
        for given, said in (
            ("[]", "must be a number or text, not a list"),
            ("{a: 1}", "must be a number or text, not a mapping"),
            ("true", "must be a number or text, not true"),
        )
    ),
    M("path: /v1/events", 'path: "/v1/\\nevents"', "holds the character U+000A: delete it"),
    M("path: /v1/events", 'path: " /v1/events"', "has blanks around it: delete them"),
    M(
        "path: /v1/venues",
        "path: |\n            /v1/venues",
        "holds the character U+000A",
        at="path: |",
    ),
    M("cursor_path: next", 'cursor_path: "next\\t"', "holds the character U+0009: delete it"),
    M("name: key\n", "name: ''\n", "is empty: write it, or delete it"),
    M(
        "name: key\n        location: query",
        "name: my key\n        location: header",
        "`my key` cannot be the name of a header",
        at="name: my key",
    ),
    M("timezone: UTC", "timezone: ''", "`timezone` is neither a known zone nor a path: ``"),
    M("timezone: UTC", "timezone: []", "`timezone` is neither a known zone nor a path: ``"),
    M("timezone: UTC", "format: ''", "must be epoch_s, epoch_ms or a pattern"),
    M(
        "base_url: http://127.0.0.1:9",
        "base_url: http://:9",
        "https://api.example.com, not `http://:9`",
    ),
    M(
        "base_url: http://127.0.0.1:9",
        "base_url: https://https://a",
        "https://api.example.com, not `https://https:`",
    ),
]
PLACED = [  # what stands where it has no effect
    M(
        "order: asc",
        "q: status:live AND updated_at>={incremental.start_value}",
        "needs a start: set `initial_value` of `incremental`",
    ),
    M(
        "order: asc",
        'filter: ["{incremental.start_value}"]',
        "needs a start: set `initial_value` of `incremental`",
    ),
    M(
        "method: GET",
        "method: POST\n"
        "          json: {query: '{ events(since: \"{incremental.start_value}\") { id } }'}",
        "needs a start: set `initial_value` of `incremental`",
    ),
    M(
        "order: asc",
        'until: "{incremental.end_value}"',
        "needs an `end_value`, for which `{incremental.end_value}` stands",
        at="          incremental:",
    ),
    M(
        "order: asc",
        "after: {type: incremental, cursor_path: updated_at}",
        "has no effect beside a parameter of `type: incremental`: delete one of them",
        at="          incremental:",
    ),
    M(
        "Accept-Language: en",
        'Since: "{incremental.start_value}"',
        "stands for a value in an endpoint only: move the header there",
    ),
    M(
        "    client:\n",
        "    auth: bearer\n    client:\n",
        "it belongs in `client`",
        at="    auth: b",
    ),
    M(
        "  rest_api:\n",
        "  rest_api:\n    concurrency: 4\n",
        "it belongs in `attributes`",
        at="    concurrency: 4",
    ),
    M(
        "      - name: event_data\n",
        "      - name: event_data\n        data_selector: data\n",
        "`data_selector` is not a known field here: it belongs in `endpoint`. Allowed: endpoint, ",
        at="        data_selector: data\n        endpoint",
    ),
    M(
        "concurrency: 4",
        "base_url: http://a",
        "`base_url` is not a known field here: it belongs in",
    ),
    M("resume_hours: 6", "warn_after_minutes: 6", "it belongs in `freshness`"),
    M(
        "write_disposition: merge\n    resources:\n",
        "endpoint:\n"
        "        incremental: {cursor_path: changed, start_param: since}\n"
        "    resources:\n"
        "      - name: guests\n"
        "        endpoint: '/v1/{resources.event_data.id}/guests'\n",
        "`incremental` of `guests` cannot work: it has a parent resource",
        at="        incremental: {",
    ),
    M(
        "path: /v1/events",
        "path: https://127.0.0.1:9/v1/events",
        "is not of `base_url`, and no key is sent to it: set that to https://127.0.0.1:9",
    ),
    M("path: /v1/events", 'path: "/v1/events#top"', "must end before `#`, which is for browsers"),
]
REFERENCES = [
    M("path: /v1/events", 'path: "/v1/{account}/events"', "list the accounts in `accounts`"),
    M("path: /v1/events", 'path: "/v1, but {city}"', "`{city}` must be the name of one of its"),
    M("path: /v1/venues", 'path: "/v1/{resources.event_data}"', "or {resources.NAME.FIELD}"),
    M("path: /v1/venues", 'path: "/v1/{}"', "`{}` must be the name of one of its `params`"),
    M("path: /v1/venues", 'path: "/{incremental.start_value}"', "needs `incremental`"),
    M(
        "path: /v1/venues",
        'path: "/v1/{resources.venues.id}"',
        "`venues` would need its own records",
    ),
    M(
        "path: /v1/venues",
        "path: /v1/venues\n          params: {a: {type: resolve, resource: event_data, field: id}}",
        "has no effect: write {a} in the `path`",
    ),
    M(
        "path: /v1/venues",
        'path: "/v1/{resources.event_date.id}"',
        "`event_date` is not a known resource, did you mean `event_data`?",
    ),
]
KEYS = [
    *(
        M("name: key\n", f"{name}: {value}\n", "holds a key, which all who have this file can read")
        for name, value in (
            *(
                ("api_key", "abc123def456"),
                ("token", "sk_live_51HxYz"),
                ("password", "hunter2!xyz"),
            ),
            *(("client_secret", "dXNlcjpwYXNz"), ("username", "7d41d8cd98f00b204e9800998ecf8427")),
        )
    ),
    M("Accept-Language: en", "Authorization: Bearer abc123def456", "as API_KEY=..., and write"),
    M("Accept-Language: en", "X-Api-Key: abc123def456", 'write "{{ env.API_KEY }}" here'),
    M("sort: id", "api_key: abc123def456", "put it into .env as API_KEY=..., and write"),
    M("method: GET", "json: {a: {access_token: abc123def456}}", "holds a key"),
    M("path: /v1/events", "path: /v1/events?a=1&api_key=abc123def456&b=2", "holds a key"),
    M("type: api_key", "type: |\n          api\n          key", "`api key ` is not", at="type: |"),
    M(
        "type: api_key",
        "type: sk_live_9aZq81hhPQ0x77Lm",
        "`***` is not a known auth type. Allowed: api_key, bearer, http_basic, "
        "oauth2_client_credentials.",
    ),
    M(
        "headers:\n        Accept-Language: en",
        "headers: 'X-Key: 9aZq81hhPQ0x77Lm'",
        "must be a mapping, not 'X-Key: ***'",
    ),
]
RETYPED = [
    *(
        M("order: asc", f"order: {word}", f"YAML reads `{word}` as {read}: write it in quotes")
        for word, read in (
            *(("NO", "false"), ("on", "true"), ("22:30", "1350"), ("01234", "668")),
            *(("1.10", "1.1"), ("1_000", "1000"), ("0x1F", "31"), ("+5", "5"), (".5", "0.5")),
        )
    ),
    M("status: deleted", "status: Off", "YAML reads `Off` as false: write it in quotes"),
    M("description: Its name.", "description: yes", "YAML reads `yes` as true: write it in quotes"),
    M("description: Its name.", "description: 1.10", "must be text, not 1.1"),
    M("- updated_at", "- on", "YAML reads `on` as true: write it in quotes"),
    M("concurrency: 4", "concurrency: 010", "YAML reads `010` as 8: write it in quotes"),
    M("concurrency: 4", "concurrency: 1:30", "YAML reads `1:30` as 90: write it in quotes"),
    M("concurrency: 4", "concurrency: on", "YAML reads `on` as true: write it in quotes"),
    M("concurrency: 4", "accounts: [007]", "YAML reads `007` as 7: write it in quotes"),
    M("order: asc", "on: asc", "put `on` in quotes: YAML reads true"),
    M("order: asc", "null: asc", "put `null` in quotes: YAML reads nothing"),
    M("    name:\n", "    no:\n", "put `no` in quotes: YAML reads false", at="    no:"),
]
SYNTAX = [
    M(
        "          method: GET",
        "\tmethod: GET",
        "indent with spaces: YAML allows no tabs there",
        at="\tmethod",
    ),
    M("          data_selector", "         data_selector", "indented as none above it"),
    M("          method: GET", "        \u00a0 method: GET", "indent with spaces, not with U+00A0"),
    M("  concurrency: 4", "   concurrency: 4", "indented as none above it: indent it as its"),
    M(
        "- name: event_data\n",
        "name: event_data\n",
        "a name and `:` cannot stand here",
        at="        endpoint:\n          path: /v1/events",
    ),
    M(
        "description: Its name.",
        "description: What: it is",
        "a name and `:` cannot stand here: ind",
    ),
    M(
        "removed_when:\n    status: deleted",
        "removed_when: {status: deleted",
        "what opens here is not closed: a comma, or }, is missing",
    ),
    M(
        "exclude:\n    - venue.location",
        "exclude: [venue",
        "what opens here is not closed: a comma, or ], is missing",
    ),
    M(
        "description: Its name.",
        "description: 'Its name.",
        "the quote that opens here is not closed",
    ),
    M("description: Its name.", "description: 'It's name.'", "check the quotes"),
    M(
        "sort: id",
        "sort: ${ORDER}",
        "`${ORDER}` is not filled in: write '{{ env.ORDER }}', in quotes",
    ),
    M(
        "\n            type: offset\n            limit: 100\n            total_path: total\n",
        " [a, 1, ~]\n",
        "must be one of auto, cursor",
    ),
    M("base_url: http://127.0.0.1:9", "base_url: {{ env.X }}", "a template needs quotes"),
    M("status: deleted", "[a]: deleted", "a name must be text"),
    M("description: Its name.", "description: @name", "put a text that begins with `@` in quotes"),
    M("description: Its name.", "description: *name", "that begins with `*` in quotes"),
    M('"*/15 * * * *"', "*/15 * * * *", "put a text that begins with `*` or `&` in quotes"),
    M("description: Its name.", "description: & name", "begins with `*` or `&` in quotes"),
    M("description: Its name.", "description: !name", "put a text that begins with `!` in quotes"),
    M("description: Its name.", "description: a\ab", "delete the character U+0007"),
    M(
        "limit: 100",
        "limit: 100\n            limit: 50",
        "`limit` is given twice, first in line",
        at="limit: 50",
    ),
    M(
        "  resume_hours: 6",
        "  owners: []",
        "`owners` is given twice, first in line",
        at="owners:\n    - t",
    ),
    M(
        "description: Its name.",
        "description: &a [*a]",
        "an alias holds itself",
        at="type: event_a",
    ),
    M("description: Its name.", 'description: "\\q"', "unknown escape character"),
    M("limit: 100", f"limit: {'9' * 5_000}", "YAML cannot read this value"),
    M("nullable: false", "nullable: !!bool never", "YAML cannot read this value"),
]
MISTAKES = [*TYPOS, *VALUES, *OTHERS, *PLACED, *REFERENCES, *KEYS, *RETYPED, *SYNTAX]
