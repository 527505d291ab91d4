"""Check whether an API filters a list by the parent for whose record it is requested."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException
from requests import HTTPError, Request

from event_assets.extract.empty_page import has_nothing
from event_assets.extract.records_selector import RecordsSelector
from event_assets.extract.requests import Record
from event_assets.http.client import ApiClient
from event_assets.values.errors import ApiError, ContentError


def build_unknown_parent(record: Record) -> Record:
    """Return a parent's record with values of the same form that no parent has."""
    return {
        field: 0 if isinstance(value, int) else re.sub(r"\w", "0", str(value))
        for field, value in record.items()
    }


def filters_by_parent(
    request: Request, client: ApiClient, select_records: RecordsSelector, rows: Sequence[Any]
) -> bool:
    """Return whether the list of a parent that does not exist begins with other rows.

    Args:
        request: for that list.
        rows: the first page of the lists of all parents.
    """
    try:
        return select_records(client.fetch(request)) != rows
    except (HTTPError, IgnoreResponseException):
        return True
    except ContentError as error:
        return has_nothing(error.response)
    except ApiError:
        return False
