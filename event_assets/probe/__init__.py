"""Probe an API before the first sync: how it responds, and whether the configuration fits.

`python -m event_assets.probe` prints the report; observing the asset `events_api` records it.
`session` sends at most twelve requests, `responses` decides which and holds the responses, the
`*_checks` modules evaluate them, `suggestions` finds what the configuration misses, and
`yaml_editor` writes that into the YAML.
"""
