"""The private parts of libraries that this package needs, one module per library.

The lowest layer: nothing else imports what a library does not publish. Each part is pinned, with
what it is needed for and the versions tried, by `event_assets_tests/unit/test_private_apis.py`.
"""
