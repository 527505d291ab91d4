"""Event APIs made at random from a grammar, one from each seed, as servers on loopback."""

from event_assets_tests.support.synthetic_apis.grammar import KEPT_SEEDS, SyntheticApi, make
from event_assets_tests.support.synthetic_apis.server import serve

__all__ = ["KEPT_SEEDS", "SyntheticApi", "make", "serve"]
