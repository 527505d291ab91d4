"""A look at the API before the first sync: what it answers, and whether that is what is expected.

`python -m event_assets.probe` prints it; observing the asset `events_api` records it. `asking`
sends at most five requests, `visit` says which ones and keeps what came, `contact`, `content` and
`pages` judge it, `guesses` has ideas where something is not where it should be, and `suggestion`
writes them into the YAML.
"""
