"""What decides which page of a list to request next, and reports what the pages show."""

from __future__ import annotations

from typing import TypeAlias

from event_assets.pagination.list_paginator import ListPaginator
from event_assets.pagination.time_windows import TimeWindowPaginator

Paginator: TypeAlias = ListPaginator | TimeWindowPaginator
