"""Ten platforms: authentication, pagination, filters and responses of their APIs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from event_assets_tests.vendors.records import Record
from event_assets_tests.vendors.traits import Key, Page, Paging, Refusal, Tokens, Vendor

SECRET = "s3cret"
TICKETTAILOR_USER = base64.b64encode(f"{SECRET}:".encode()).decode()
PREDICTHQ_SHOWS = 150  # readable rows of a list, by the plan
WHEN = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"


def _ticketmaster_error(code: str, detail: str) -> Refusal:
    return Refusal(400, {"errors": [{"code": code, "detail": detail, "status": "400 BAD_REQUEST"}]})


def _ticketmaster_when(record: Record) -> str:
    start = record["dates"]["start"]
    return str(start.get("dateTime") or f"{start.get('localDate')}T00:00:00Z")


def _ticketmaster(page: Page) -> Any:
    pages = -(-page.total // page.size)
    about = {"size": page.size, "totalElements": min(page.total, 10_000)}
    answer: Record = {"page": {**about, "totalPages": pages, "number": page.number}}
    return answer | ({"_embedded": {"events": page.rows}} if page.rows else {})


NOT_A_DATE = _ticketmaster_error("DIS1015", "Query param with date must be of valid format")
FAULT = Refusal(401, {"fault": {"faultstring": "Invalid ApiKey"}})
FORBIDDEN = Refusal(403, {"status": 403, "error_code": "FORBIDDEN", "message": "You do not ..."})
NOT_CLIENT = Refusal(403, {"status": 403, "errors": [{"code": 40307}]})
NO_PHQ = Refusal(401, {"error": "Authorization required"})
NO_CVENT = Refusal(400, {"error": "invalid_client"})
NOT_ALLOWED = Refusal(401, {"code": 401, "message": "Unauthorized"})

VENDORS: Mapping[str, Vendor] = {
    "ticketmaster": Vendor(
        path="/discovery/v2/events.json",
        secrets={"API_KEY": SECRET},
        key=Key("apikey", SECRET, FAULT, FAULT, "query"),
        paging=Paging(
            *("page", "page", "size", 20, 200),
            above=_ticketmaster_error("DIS1036", 'Query param "size" must be less than 200'),
            depth=1000,
            too_deep=_ticketmaster_error("DIS1035", "Max paging depth exceeded"),
        ),
        answer=_ticketmaster,
        filters={
            "includeTBA": lambda record, value: (
                value == "yes" or "localDate" in record["dates"]["start"]
            ),
            "startDateTime": lambda record, value: _ticketmaster_when(record) >= value,
            "endDateTime": lambda record, value: _ticketmaster_when(record) <= value,
        },
        defaults={"includeTBA": "no"},
        formats=dict.fromkeys(("startDateTime", "endDateTime"), (f"{WHEN}Z", NOT_A_DATE)),
    ),
    "eventbrite": Vendor(
        path="/v3/organizations/123456789/events/",
        secrets={"API_KEY": SECRET},
        key=Key(
            "Authorization",
            f"Bearer {SECRET}",
            Refusal(401, {"status_code": 401, "error": "NO_AUTH"}),
            Refusal(401, {"status_code": 401, "error": "INVALID_AUTH"}),
        ),
        paging=Paging(
            *("cursor", "continuation", "page_size", 50, 50),
            bad_token=Refusal(400, {"status_code": 400, "error": "BAD_CONTINUATION_TOKEN"}),
            last_token="always",
        ),
        answer=lambda page: {
            "pagination": {
                "object_count": page.total,
                "page_size": page.size,
                "has_more_items": page.more,
                "continuation": page.next,
            },
            "events": page.rows,
        },
    ),
    "seatgeek": Vendor(
        path="/2/events",
        secrets={"API_KEY": SECRET},
        key=Key("client_id", SECRET, NOT_CLIENT, NOT_CLIENT, "query"),
        paging=Paging("page", "page", "per_page", 10, 50, first=1, depth=10_000),
        answer=lambda page: {
            "events": page.rows,
            "meta": {
                "total": page.total,
                "page": page.number,
                "per_page": page.size,
                "geolocation": None,
            },
            "in_hand": {},
        },
        filters={
            "datetime_utc.gte": lambda record, value: record["datetime_utc"] >= value,
            "datetime_utc.lte": lambda record, value: record["datetime_utc"] <= value,
        },
    ),
    "predicthq": Vendor(
        path="/v1/events/",
        secrets={"API_KEY": SECRET},
        key=Key("Authorization", f"Bearer {SECRET}", NO_PHQ, NO_PHQ),
        paging=Paging("offset", "offset", "limit", 10, 50, shows=PREDICTHQ_SHOWS),
        answer=lambda page: {
            "count": min(page.total, PREDICTHQ_SHOWS),
            "overflow": page.total > PREDICTHQ_SHOWS,
            "next": page.link,
            "previous": None,
            "results": page.rows,
        },
        filters={
            "state": lambda record, value: record["state"] in value.split(","),
            "updated.gte": lambda record, value: record["updated"] >= value,
            "start.gte": lambda record, value: record["start"].rstrip("Z") >= value,
            "start.lte": lambda record, value: record["start"].rstrip("Z") <= value,
        },
        defaults={"state": "active"},
    ),
    "luma": Vendor(
        path="/v1/calendars/events/list",
        secrets={"API_KEY": SECRET},
        key=Key(
            "x-luma-api-key",
            SECRET,
            Refusal(400, {"message": "Please provide an API key.", "code": None}),
            Refusal(401, {"message": "You are not signed in.", "code": None}),
        ),
        paging=Paging(
            *("cursor", "pagination_cursor", "pagination_limit", 50, 50), last_token="always"
        ),
        answer=lambda page: {"entries": page.rows, "has_more": page.more, "next_cursor": page.next},
        filters={"platforms": lambda record, value: record["platform"] in value.split(",")},
        defaults={"platforms": "luma"},
    ),
    "pretix": Vendor(
        path="/api/v1/organizers/my-organizer/events/",
        secrets={"API_KEY": f"Token {SECRET}"},
        key=Key(
            "Authorization",
            f"Token {SECRET}",
            Refusal(401, {"detail": "Authentication credentials were not provided."}),
            Refusal(401, {"detail": "Invalid token."}),
        ),
        paging=Paging(
            *("page", "page", "page_size", 50, 50),
            first=1,
            past_end=Refusal(404, {"detail": "Invalid page."}),
        ),
        answer=lambda page: {
            "count": page.total,
            "next": page.link,
            "previous": None,
            "results": page.rows,
        },
    ),
    "indico": Vendor(
        path="/export/categ/0.json",
        secrets={"API_KEY": f"indp_{SECRET}"},
        key=Key(
            "Authorization",
            f"Bearer indp_{SECRET}",
            Refusal(403, {"message": "Not authenticated"}),
            Refusal(400, "<html><title>OAuth error</title></html>"),
        ),
        paging=Paging(
            *("offset", "offset", "limit", 1_000_000, 1_000_000),
            above=Refusal(400, {"message": "You can only request up to 1000 records"}),
        ),
        answer=lambda page: {
            "ts": 1795552573,
            "additionalInfo": {"moreFutureEvents": False},
            "results": page.rows,
            "count": len(page.rows),
            "_type": "HTTPAPIResult",
        },
        order=("order", "id"),
    ),
    "tickettailor": Vendor(
        path="/v1/events",
        secrets={"API_KEY": SECRET},
        key=Key("Authorization", f"Basic {TICKETTAILOR_USER}", FORBIDDEN, FORBIDDEN),
        paging=Paging("last id", "starting_after", "limit", 100, 100),
        answer=lambda page: {
            "data": page.rows,
            "links": {
                "next": page.next and f"/v1/events?starting_after={page.next}",
                "previous": None,
            },
        },
        newest_first=True,
    ),
    "eventzilla": Vendor(
        path="/api/v2/events",
        secrets={"API_KEY": SECRET},
        key=Key(
            "x-api-key",
            SECRET,
            Refusal(401, {"message": "Unauthorized"}),
            Refusal(401, {"message": "Unauthorized"}),
        ),
        paging=Paging(
            *("offset", "offset", "limit", 20, 100),
            past_end=Refusal(404, {"message": "No events found"}),
        ),
        answer=lambda page: {
            "pagination": [{"offset": page.start, "limit": page.size, "total": page.total}],
            "events": page.rows,
        },
    ),
    "cvent": Vendor(
        path="/ea/events",
        secrets={"CLIENT_ID": "me", "CLIENT_SECRET": SECRET},
        key=Key("Authorization", "Bearer token-1", NOT_ALLOWED, NOT_ALLOWED),
        paging=Paging("cursor", "token", "limit", 100, 200, last_token="if it is full"),
        answer=lambda page: {
            "paging": {"limit": page.size, "totalCount": "", "_links": {}}
            | ({"nextToken": page.next} if page.next else {}),
            "data": page.rows,
        },
        filters={"after": lambda record, value: record["lastModified"] >= value},
        tokens=Tokens("/ea/oauth2/token", ("me", SECRET), NO_CVENT),
    ),
}
