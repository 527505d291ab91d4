"""PyAirbyte: a declarative source into its cache in DuckDB, merged by the primary key."""

import os
import sys
from pathlib import Path

os.environ |= {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1"}  # before the import

import airbyte
from airbyte.caches import DuckDBCache

base, path, key, database = sys.argv[1:]
TEXT = {"type": ["null", "string"]}
INTEGER = {"type": ["null", "integer"]}
NUMBER = {"type": ["null", "number"]}
TIME = TEXT | {"format": "date-time", "airbyte_type": "timestamp_with_timezone"}


def build_object(**properties: object) -> dict[str, object]:
    """Return the JSON schema of an object."""
    return {"type": ["null", "object"], "additionalProperties": True, "properties": properties}


EVENT = build_object(
    id={"type": "string"},
    name=TEXT,
    status=TEXT,
    start_time=TIME,
    end_time=TIME,
    description=TEXT,
    url=TEXT,
    category=TEXT,
    tags={"type": ["null", "array"], "items": {"type": "string"}},
    venue=build_object(
        id=TEXT,
        name=TEXT,
        city=TEXT,
        country=TEXT,
        capacity=INTEGER,
        location=build_object(lat=NUMBER, lon=NUMBER),
    ),
    price=build_object(currency=TEXT, min=INTEGER, max=INTEGER),
    is_online={"type": ["null", "boolean"]},
    attendee_count=INTEGER,
    created_at=TEXT,
    updated_at=TEXT,
)


def parameter(name: str) -> dict[str, str]:
    """Return where a parameter of the query goes."""
    return {"type": "RequestOption", "inject_into": "request_parameter", "field_name": name}


MANIFEST = {
    "type": "DeclarativeSource",
    "version": "6.0.0",
    "check": {"type": "CheckStream", "stream_names": ["events"]},
    "spec": {
        "type": "Spec",
        "connection_specification": {"type": "object", "properties": {"key": {"type": "string"}}},
    },
    "streams": [
        {
            "type": "DeclarativeStream",
            "name": "events",
            "primary_key": ["id"],
            "schema_loader": {"type": "InlineSchemaLoader", "schema": EVENT | {"type": "object"}},
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {
                    "type": "HttpRequester",
                    "url_base": base,
                    "path": path,
                    "http_method": "GET",
                    "authenticator": {
                        "type": "ApiKeyAuthenticator",
                        "api_token": "{{ config['key'] }}",
                        "inject_into": parameter("api_key"),
                    },
                },
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
                },
                "paginator": {
                    "type": "DefaultPaginator",
                    "page_token_option": parameter("offset"),
                    "page_size_option": parameter("limit"),
                    "pagination_strategy": {"type": "OffsetIncrement", "page_size": 100},
                },
            },
        }
    ],
}

source = airbyte.get_source(
    "source-events", source_manifest=MANIFEST, config={"key": key}, streams=["events"]
)
cache = DuckDBCache(db_path=database, schema_name="main", cache_dir=Path(database).parent / "cache")
source.read(cache=cache, write_strategy="merge")
