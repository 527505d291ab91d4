"""Sessions against an API."""

from typing import Any

from dlt.sources.helpers.rest_client.auth import APIKeyAuth

from event_assets.http.session import ApiSession
from event_assets_tests.support.sandbox import KEY, Sandbox

PATH = "/v1/events"


def session_for(api: Sandbox, **options: Any) -> ApiSession:
    auth = APIKeyAuth(name="api_key", api_key=KEY, location="query")
    return ApiSession(api.url, auth, **options)
