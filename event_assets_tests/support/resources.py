"""Sources with additional resources."""

from typing import Any

from starlette.requests import Request

from event_assets_tests.support.platforms import paged, source

ATTENDEES: dict[str, Any] = {
    "name": "attendees",
    "endpoint": {
        "path": "/v1/events/{resources.event_data.id}/attendees",
        "data_selector": "data",
        "paginator": {"type": "offset", "limit": 2},
    },
    "include_from_parent": ["id"],
}
VENUES: dict[str, Any] = {
    "name": "venues",
    "endpoint": {"path": "/v1/venues", "data_selector": "data", "paginator": "single_page"},
}
PATH, OF_EVENT = "/v1/events", "/v1/events/{event}/attendees"


def attendees(request: Request) -> Any:
    event = request.path_params["event"]
    rows = [{"id": f"{event}-{i}", "name": f"Guest {i}"} for i in range(int(event[1:]) % 4)]
    return paged(rows)(request)


def with_resources(url: str, *resources: dict[str, Any], **changes: Any) -> dict[str, Any]:
    document = source(url, **changes)
    document["attributes"]["rest_api"]["resources"] += resources
    return document
