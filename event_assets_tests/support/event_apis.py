"""Lists of events in the shapes of real APIs: how each of them pages, and writes a record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

FIRST = datetime(2027, 1, 10, 18, 30, tzinfo=UTC)
Respond = Callable[[Request, int], Any]  # to a request for a list of so many events


@dataclass(frozen=True)
class ListApi:
    """One API.

    Attributes:
        curl: the command that its documentation shows, in place of an address.
        asks: the setting of the open question that is right here, if there is one.
        doubts: the certainty of the start: `sure`, `likely` or `assumed`.
    """

    respond: Respond
    path: str
    count: int = 130
    curl: str = ""
    asks: str = ""
    doubts: str = "sure"


def start(number: int) -> datetime:
    """Return the start of an event; it takes two hours."""
    return FIRST + timedelta(hours=11 * number)


def iso(number: int, hours: int = 0, pattern: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """Return a time some hours after the start of an event."""
    return (start(number) + timedelta(hours=hours)).strftime(pattern)


def seconds(number: int, hours: int = 0) -> int:
    return int((start(number) + timedelta(hours=hours)).timestamp())


def plain(number: int) -> dict[str, Any]:
    """Return an event in the most usual form."""
    return {
        "id": 48_100 + 7 * number,
        "title": f"Concert {number}",
        "start_time": iso(number),
        "end_time": iso(number, 2),
    }


def of(request: Request, name: str, default: int) -> int:
    return int(request.query_params.get(name, default))


def numbers(start_: int, size: int, count: int) -> range:
    """Return the numbers of the events of a page."""
    return range(max(0, min(start_, count)), max(0, min(start_ + size, count)))


def by_page(
    request: Request, name: str, size_name: str, default: int, most: int, base: int = 1
) -> tuple[int, int]:
    """Return the first row and the size of a page that is requested by its number."""
    size = min(of(request, size_name, default), most)
    return max(0, of(request, name, base) - base) * size, size


def humanitix(request: Request, count: int) -> Any:
    if "page" not in request.query_params:
        problem = {"statusCode": 422, "error": "Unprocessable", "message": "page is required"}
        return JSONResponse(problem, 422)
    at, size = by_page(request, "page", "pageSize", 100, 100)
    rows = [
        {
            "_id": f"5f{n:022x}",
            "name": f"Concert {n}",
            "startDate": iso(n, pattern="%Y-%m-%dT%H:%M:%S.000Z"),
            "endDate": iso(n, 2, "%Y-%m-%dT%H:%M:%S.000Z"),
            "timezone": "Pacific/Auckland",
        }
        for n in numbers(at, size, count)
    ]
    return {"total": count, "page": at // size + 1, "pageSize": size, "events": rows}


def tito(request: Request, count: int) -> Any:
    at, size = by_page(request, "page[number]", "page[size]", 20, 100)
    rows = numbers(at, size, count)
    more = at // size + 2 if at + size < count else None
    return {
        "events": [{"slug": f"c-{n}", **plain(n)} for n in rows],
        "meta": {
            "current_page": at // size + 1,
            "next_page": more,
            "total_pages": -(-count // size),
            "total_count": count,
            "per_page": size,
            "overall_total": 500,
        },
    }


def openagenda(request: Request, count: int) -> Any:
    after = request.query_params.getlist("after[]")
    at, size = int(after[0]) - 1_000 if after else 0, min(of(request, "size", 20), 300)
    end = min(at + size, count)
    rows = [
        {
            "uid": 48_100 + n,
            "title": {"fr": f"Fête {n}", "en": f"Concert {n}"},
            "firstTiming": {"begin": iso(n), "end": iso(n, 2)},
            "timezone": "Europe/Paris",
        }
        for n in range(at, end)
    ]
    cursor = [str(end + 1_000), str(48_100 + end)] if end < count else None
    return {"total": count, "success": True, "events": rows, "after": cursor}


def trumba(_: Request, count: int) -> Any:
    return [
        {
            "eventID": 170_000_000 + n,
            "title": f"Concert {n} &amp; more",
            "startDateTime": iso(n, -5, "%Y-%m-%dT%H:%M:%S"),
            "endDateTime": iso(n, -3, "%Y-%m-%dT%H:%M:%S"),
            "startTimeZoneOffset": "-0500",
            "endTimeZoneOffset": "-0500",
            "canceled": False,
        }
        for n in range(count)
    ]


def squarespace(request: Request, count: int) -> Any:
    stamps = [seconds(n) * 1_000 + 7 for n in range(count)]
    asked = of(request, "offset", 0)
    at, size = stamps.index(asked) if asked else 0, 20
    rows = [
        {
            "id": f"6{n:023x}",
            "title": f"Concert {n}",
            "startDate": seconds(n) * 1_000,
            "endDate": seconds(n, 2) * 1_000,
            "publishOn": stamps[n],
        }
        for n in numbers(at, size, count)
    ]
    more: dict[str, Any] = {}
    if at + size < count:
        following = stamps[at + size]
        url = f"/events?offset={following}"
        more = {"nextPage": True, "nextPageOffset": following, "nextPageUrl": url}
    return {"website": {"timeZone": "Europe/London"}, "items": rows, "pagination": more}


def strapi(request: Request, count: int) -> Any:
    at, size = by_page(request, "pagination[page]", "pagination[pageSize]", 25, 100)
    rows = [
        {
            "id": n + 1,
            "attributes": {"title": f"Concert {n}", "startsAt": iso(n), "endsAt": iso(n, 2)},
        }
        for n in numbers(at, size, count)
    ]
    page = {"page": at // size + 1, "pageSize": size, "pageCount": -(-count // size)}
    return {"data": rows, "meta": {"pagination": {**page, "total": count}}}


def notion(request: Request, count: int) -> Any:
    body = json.loads(request.state.body or b"{}")
    if unknown := {*body} - {"start_cursor", "page_size", "filter", "sorts"}:
        problem = f"body failed validation: body.{min(unknown)} should be not present"
        return JSONResponse({"object": "error", "status": 400, "message": problem}, 400)
    at, size = int(str(body.get("start_cursor", "c-0"))[2:]), min(body.get("page_size", 100), 100)
    rows = [
        {
            "object": "page",
            "id": f"aaaaaaaa-0000-4000-8000-{n:012}",
            "properties": {
                "Name": {"id": "title", "type": "title", "title": [{"plain_text": f"Concert {n}"}]},
                "Date": {"id": "d", "type": "date", "date": {"start": iso(n), "end": iso(n, 2)}},
            },
        }
        for n in numbers(at, size, count)
    ]
    more = at + size < count
    cursor = f"c-{at + size}" if more else None
    return {"object": "list", "results": rows, "next_cursor": cursor, "has_more": more}


def airtable(request: Request, count: int) -> Any:
    asked = request.query_params.get("offset", "itr/0")
    if not asked.startswith("itr/"):
        return JSONResponse({"error": {"type": "INVALID_OFFSET_VALUE"}}, 422)
    at, size = int(asked[4:]), min(of(request, "pageSize", 100), 100)
    rows = [
        {"id": f"rec{n}", "fields": {"Name": f"Concert {n}", "Start": iso(n), "End": iso(n, 2)}}
        for n in numbers(at, size, count)
    ]
    return {"records": rows, **({"offset": f"itr/{at + size}"} if at + size < count else {})}


def sched(_: Request, count: int) -> Any:
    return [
        {
            "event_key": f"S{n}",
            "name": f"Concert {n}",
            "event_start": iso(n, pattern="%Y-%m-%d %H:%M"),
            "event_end": iso(n, 2, "%Y-%m-%d %H:%M"),
            "venue": "Hall",
        }
        for n in range(count)
    ]


def bizzabo(request: Request, count: int) -> Any:
    at, size = by_page(request, "page", "size", 20, 200, base=0)
    rows = [plain(n) | {"name": f"Concert {n}"} for n in numbers(at, size, count)]
    page = {"size": size, "totalElements": count, "totalPages": -(-count // size)}
    return {"content": rows, "page": {**page, "number": at // size}}


def directus(request: Request, count: int) -> Any:
    size, at = of(request, "limit", 100), of(request, "offset", 0)
    at = at or (of(request, "page", 1) - 1) * size
    known = {"total_count": 500, "filter_count": count}
    meta = {"meta": known} if request.query_params.get("meta") == "*" else {}
    return {**meta, "data": [plain(n) for n in numbers(at, size, count)]}


def contentful(request: Request, count: int) -> Any:
    at, size = of(request, "skip", 0), min(of(request, "limit", 100), 1_000)
    items = [
        {
            "sys": {"id": f"c{n:05}", "type": "Entry", "updatedAt": iso(n, -90)},
            "fields": {"title": f"Concert {n}", "startDate": iso(n), "endDate": iso(n, 2)},
        }
        for n in numbers(at, size, count)
    ]
    return {"sys": {"type": "Array"}, "total": count, "skip": at, "limit": size, "items": items}


def drupal(request: Request, count: int) -> Any:
    at, size = of(request, "page[offset]", 0), min(of(request, "page[limit]", 50), 50)
    rows = [
        {
            "type": "node--event",
            "id": f"aaaaaaaa-0000-4000-8000-{n:012}",
            "attributes": {
                "title": f"Concert {n}",
                "created": iso(0, -900),
                "field_date": {"value": iso(n), "end_value": iso(n, 2)},
            },
        }
        for n in numbers(at, size, count)
    ]
    base = f"{request.url.scheme}://{request.url.netloc}{request.url.path}"
    follows = f"{base}?page%5Boffset%5D={at + size}&page%5Blimit%5D={size}"
    links = {"self": {"href": base}} | ({"next": {"href": follows}} if at + size < count else {})
    return {"jsonapi": {"version": "1.0"}, "data": rows, "links": links}


def algolia(request: Request, count: int, shows: int = 1_000) -> Any:
    at, size = by_page(request, "page", "hitsPerPage", 20, 1_000, base=0)
    hits = [
        {"objectID": f"o{n}", "name": f"Concert {n}", "starts_at": seconds(n)}
        for n in numbers(at, size, min(count, shows))
    ]
    pages = -(-min(count, shows) // size)
    return {
        "hits": hits,
        "nbHits": count,
        "page": at // size,
        "nbPages": pages,
        "hitsPerPage": size,
    }


def search(request: Request, count: int) -> Any:
    at, size = by_page(request, "page", "per_page", 30, 100)
    if at + size > 1_000:
        return JSONResponse({"message": "Only the first 1000 search results are available"}, 422)
    return {"total_count": count, "items": [plain(n) for n in numbers(at, size, count)]}


def elasticsearch(request: Request, count: int) -> Any:
    at, size = of(request, "from", 0), of(request, "size", 10)
    if at + size > 500:
        limit = "Result window is too large, from + size must be less than or equal to: [500]"
        return JSONResponse({"error": {"type": "query", "reason": limit}, "status": 400}, 400)
    hits = [{"_id": str(n), "_source": plain(n)} for n in numbers(at, size, count)]
    total = {"value": min(count, 500), "relation": "gte" if count > 500 else "eq"}
    return {"took": 1, "hits": {"total": total, "hits": hits}}


def arcgis(request: Request, count: int) -> Any:
    at, size = of(request, "resultOffset", 0), min(of(request, "resultRecordCount", 100), 100)
    rows = [
        {
            "attributes": {
                "OBJECTID": n + 1,
                "NAME": f"Concert {n}",
                "START_DATE": seconds(n) * 1_000,
                "END_DATE": seconds(n, 2) * 1_000,
            },
            "geometry": {"x": 4.9, "y": 52.4},
        }
        for n in numbers(at, size, count)
    ]
    more = {"exceededTransferLimit": True} if at + size < count else {}
    fields = [{"name": "OBJECTID", "type": "esriFieldTypeOID"}]
    return {"objectIdFieldName": "OBJECTID", "fields": fields, "features": rows, **more}


def mec(request: Request, count: int) -> Any:
    at, size = of(request, "offset", 0), of(request, "limit", 12)
    days: dict[str, list[Any]] = {}
    for n in numbers(at, size, count):
        times = {"start_timestamp": seconds(n), "end_timestamp": seconds(n, 2)}
        row = {"ID": n + 1, "title": f"Concert {n}", "data": {"time": times}}
        days.setdefault(iso(n)[:10], []).append(row)
    return {"events": days, "pagination": {"next_date": "2027-02-01", "next_offset": at + size}}


def skiddle(request: Request, count: int) -> Any:
    at, size = of(request, "offset", 0), min(of(request, "limit", 20), 100)
    rows = [
        {
            "id": str(48_100 + n),
            "eventname": f"Concert {n}",
            "date": iso(n)[:10],
            "startdate": iso(n, pattern="%Y-%m-%dT%H:%M:%S+00:00"),
            "enddate": iso(n, 2, "%Y-%m-%dT%H:%M:%S+00:00"),
            "openingtimes": {"doorsopen": "18:30"},
            "venue": {"id": 3, "name": "Hall"},
        }
        for n in numbers(at, size, count)
    ]
    return {"error": 0, "totalcount": str(count), "pagecount": len(rows), "results": rows}


def socrata(request: Request, count: int) -> Any:
    if unknown := {*request.query_params} - {"$offset", "$limit"}:
        problem = f"Unrecognized arguments [{min(unknown)}]"
        return JSONResponse({"code": "query.soql.no-such-column", "message": problem}, 400)
    at, size = of(request, "$offset", 0), min(of(request, "$limit", 1_000), 50_000)
    rows = [
        {name: str(value) for name, value in plain(n).items()} for n in numbers(at, size, count)
    ]
    return JSONResponse(rows, headers={"X-SODA2-Fields": json.dumps(["id", "title"])})


def salesforce(request: Request, count: int) -> Any:
    query = request.url.path.rpartition("/")[2]
    at = int(query.rpartition("-")[2]) if "-" in query else 0
    size, path = 50, "/services/data/v60.0/query/01g-"
    rows = [
        {
            "attributes": {"type": "Event", "url": f"/services/data/v60.0/sobjects/Event/00U{n}"},
            "Id": f"00U{n}",
            "Subject": f"Concert {n}",
            "StartDateTime": iso(n, pattern="%Y-%m-%dT%H:%M:%S.000+0000"),
            "EndDateTime": iso(n, 2, "%Y-%m-%dT%H:%M:%S.000+0000"),
            "CreatedDate": iso(0, -900, "%Y-%m-%dT%H:%M:%S.000+0000"),
        }
        for n in numbers(at, size, count)
    ]
    more = {"nextRecordsUrl": f"{path}{at + size}"} if at + size < count else {}
    return {"totalSize": count, "done": not more, **more, "records": rows}


def odata(request: Request, count: int) -> Any:
    at, size = of(request, "$skip", 0), min(of(request, "$top", 25), 25)
    base = f"{request.url.scheme}://{request.url.netloc}{request.url.path}"
    rows = [
        {
            "Id": f"AAMk{n}",
            "Subject": f"Concert {n}",
            "Start": {"DateTime": iso(n, pattern="%Y-%m-%dT%H:%M:%S.0000000"), "TimeZone": "UTC"},
            "End": {"DateTime": iso(n, 2, "%Y-%m-%dT%H:%M:%S.0000000"), "TimeZone": "UTC"},
        }
        for n in numbers(at, size, count)
    ]
    more = {"__next": f"{base}?$skip={at + size}"} if at + size < count else {}
    return {"d": {"results": rows, **more}}


def wordpress(request: Request, count: int) -> Any:
    at, size = by_page(request, "page", "per_page", 10, 100)
    if at >= count:
        code = "rest_post_invalid_page_number"
        return JSONResponse({"code": code, "message": "...", "data": {"status": 400}}, 400)
    rows = [
        {
            "id": 900 + n,
            "date": iso(0, -900, "%Y-%m-%dT%H:%M:%S"),
            "modified_gmt": iso(0, -90, "%Y-%m-%dT%H:%M:%S"),
            "title": {"rendered": f"Concert &#8217;{n}"},
            "meta": {"_event_start": iso(n), "_event_end": iso(n, 2)},
        }
        for n in numbers(at, size, count)
    ]
    pages = str(-(-count // size))
    return JSONResponse(rows, headers={"X-WP-Total": str(count), "X-WP-TotalPages": pages})


def graphql(request: Request, count: int) -> Any:
    variables = json.loads(request.state.body)["variables"]
    at, size = int(variables.get("after") or 0), min(variables.get("first") or 20, 50)
    edges = [{"cursor": str(n + 1), "node": plain(n)} for n in numbers(at, size, count)]
    about = {"hasNextPage": at + size < count, "endCursor": str(min(at + size, count))}
    return {"data": {"events": {"edges": edges, "pageInfo": about}}}


def hal(request: Request, count: int) -> Any:
    at, size = by_page(request, "page", "size", 20, 100, base=0)
    base = f"{request.url.scheme}://{request.url.netloc}{request.url.path}"
    more = {"next": {"href": f"{base}?page={at // size + 1}&size={size}"}}
    answer: dict[str, Any] = {
        "_links": {"self": {"href": base}, **(more if at + size < count else {})}
    }
    if rows := [plain(n) for n in numbers(at, size, count)]:
        answer["_embedded"] = {"events": rows}
    return answer


def odoo(request: Request, count: int) -> Any:
    asked = json.loads(request.state.body)["params"]
    at, size = asked.get("offset", 0), min(asked.get("limit", 20), 100)
    rows = [
        {
            "id": 48_100 + n,
            "name": f"Concert {n}",
            "date_begin": iso(n, pattern="%Y-%m-%d %H:%M:%S"),
            "date_end": iso(n, 2, "%Y-%m-%d %H:%M:%S"),
            "date_tz": "Europe/Brussels",
        }
        for n in numbers(at, size, count)
    ]
    return {"jsonrpc": "2.0", "id": None, "result": {"length": count, "records": rows}}


def scim(request: Request, count: int) -> Any:
    at, size = max(1, of(request, "startIndex", 1)) - 1, min(of(request, "count", 20), 100)
    rows = [plain(n) for n in numbers(at, size, count)]
    shown = {"startIndex": at + 1, "itemsPerPage": len(rows)}
    return {"totalResults": count, **shown, "Resources": rows}


def songkick(request: Request, count: int) -> Any:
    at, size = by_page(request, "page", "per_page", 50, 50)
    rows = [
        {
            "id": 48_100 + n,
            "displayName": f"Concert {n}",
            "start": {"date": iso(n)[:10], "datetime": iso(n, pattern="%Y-%m-%dT%H:%M:%S+0000")},
            "performance": [{"id": n, "displayName": "Band"}],
        }
        for n in numbers(at, size, count)
    ]
    found = {"event": rows} if rows else {}
    page = {"perPage": size, "page": at // size + 1, "totalEntries": count}
    return {"resultsPage": {"status": "ok", "results": found, **page}}


def espn(request: Request, count: int) -> Any:
    """Events beside a league that has a name, an id and a start, too."""
    season = {"year": 2027, "startDate": "2026-07-01T04:00Z", "endDate": "2027-06-01T03:59Z"}
    rows = [
        {
            "id": str(401_000 + n),
            "date": iso(n, pattern="%Y-%m-%dT%H:%MZ"),
            "name": f"Concert {n}",
            "season": {"year": 2027, "slug": "2027"},
            "competitions": [{"id": str(401_000 + n), "startDate": iso(n)}],
            "venue": {"displayName": "Hall"},
        }
        for n in numbers(0, min(of(request, "limit", 100), 1_000), count)
    ]
    league = {"id": "700", "name": "League", "calendarStartDate": "2026-07-01", "season": season}
    return {"leagues": [league], "events": rows}


def broken_end(request: Request, count: int) -> Any:
    at, size = by_page(request, "page", "per_page", 20, 100)
    rows = [plain(n) for n in numbers(at, size, count)]
    return {"data": rows} if rows else JSONResponse({"error": "Internal Server Error"}, 500)


def told_end(request: Request, count: int) -> Any:
    at, size = by_page(request, "page", "per_page", 20, 100)
    rows = [plain(n) for n in numbers(at, size, count)]
    return {"ok": 1, "data": rows} if rows else {"ok": False, "message": "You have seen it all"}


def capped(request: Request, count: int) -> Any:
    at, size = by_page(request, "page", "per_page", 20, 50)
    return {"total": count, "events": [plain(n) for n in numbers(at, size, min(count, 200))]}


GRAPHQL = json.dumps(
    {
        "query": "query($first: Int, $after: String) { events(first: $first, after: $after) "
        "{ edges { cursor node { id title start_time end_time } } pageInfo { hasNextPage } } }",
        "variables": {"first": 20},
    }
)
ODOO = json.dumps({"jsonrpc": "2.0", "params": {"model": "event.event", "limit": 20, "offset": 0}})
JSON = "-H 'Content-Type: application/json'"
APIS: Mapping[str, ListApi] = {
    "humanitix": ListApi(humanitix, "/v1/events"),
    "tito": ListApi(tito, "/v3/acc/events"),
    "openagenda": ListApi(openagenda, "/v2/agendas/7/events", count=700),
    "trumba": ListApi(trumba, "/calendars/x.json", count=93, doubts="likely"),
    "squarespace": ListApi(squarespace, "/events?format=json"),
    "strapi": ListApi(strapi, "/api/events"),
    "notion": ListApi(notion, "", curl=f"curl -X POST URL/v1/databases/7/query {JSON} -d '{{}}'"),
    "airtable": ListApi(airtable, "/v0/app/Events"),
    "sched": ListApi(sched, "/api/session/list?format=json", count=93, doubts="assumed"),
    "bizzabo": ListApi(bizzabo, "/v1/events"),
    "directus": ListApi(directus, "/items/events?meta=*"),
    "directus without meta": ListApi(directus, "/items/events"),
    "contentful": ListApi(contentful, "/spaces/x/entries?content_type=event", count=330),
    "drupal": ListApi(drupal, "/jsonapi/node/event"),
    "algolia": ListApi(algolia, "/1/indexes/events?query="),
    "algolia, cut off": ListApi(algolia, "/1/indexes/events", count=1_300, asks="windows"),
    "200 of a total": ListApi(capped, "/v1/events", count=901, asks="windows"),
    "github": ListApi(search, "/search/events?q=music", count=1_300, asks="windows"),
    "elasticsearch": ListApi(elasticsearch, "/events/_search", count=600, asks="windows"),
    "arcgis": ListApi(arcgis, "/FeatureServer/0/query?where=1%3D1&outFields=*&f=json", count=330),
    "modern events calendar": ListApi(mec, "/wp-json/mec/v1.0/events", count=40),
    "skiddle": ListApi(skiddle, "/api/v1/events/search/"),
    "socrata": ListApi(socrata, "/resource/abcd.json", count=2_300),
    "salesforce": ListApi(salesforce, "/services/data/v60.0/query?q=SELECT+Id+FROM+Event"),
    "odata": ListApi(odata, "/_api/web/lists/events"),
    "wordpress": ListApi(wordpress, "/wp-json/wp/v2/event"),
    "graphql": ListApi(graphql, "", curl=f"curl URL/graphql {JSON} -d '{GRAPHQL}'"),
    "hal": ListApi(hal, "/events"),
    "odoo": ListApi(odoo, "", curl=f"curl -X POST URL/jsonrpc {JSON} -d '{ODOO}'", doubts="likely"),
    "scim": ListApi(scim, "/scim/Events"),
    "songkick": ListApi(songkick, "/api/3.0/events.json"),
    "espn": ListApi(espn, "/apis/scoreboard?dates=2027&limit=1000", count=380),
    "words behind the end": ListApi(told_end, "/v1/events", asks="response_actions"),
    "500 behind the end": ListApi(broken_end, "/v1/events", asks="response_actions"),
}
