"""`EventApi`: one YAML file in, one source's definitions out."""

from event_assets.component.component import EventApi

__all__ = ["EventApi"]
