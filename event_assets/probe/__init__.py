"""What an API is like: found out from its answers, or compared with a configuration.

`connect` finds it out for `event-assets connect`, and keeps it in a `connection`: `key_search`
reaches the address that `request_input` read; `records_finder` finds the list, and
`contract_finder` the fields, by `samples` of the records; `paginator_finder` and `parameter_search`
the pages, by experiments of `client`, which `paging` reads as a sync does; `end_finder` the end.
`yaml_writer` writes the source, and `settings` names its parts. Nothing is believed that the
answers do not show; what is in doubt is a question.

`runner` probes a source as it is configured (`event-assets probe`, and observing `events_api`):
`probed_source` decides which requests are sent, at most twelve, the `*_checks` modules evaluate
them, and `yaml_writer` writes what they suggest. `session` sends each request once, in a budget.
"""
