"""What an API is like: found out from its answers, or compared with a configuration.

`connect.discover` finds it out for `event-assets connect`, in the order of the data flow:

1. `request_input` reads what was given (`curl`, `openapi`, `source_yaml`): a `RequestInput`, the
   request for page 1 without its key.
2. `key_search` sends it, with the key in the places of `authentication`: a `Page`.
3. `records_finder` finds the list of events in the page: the client's `selector`.
4. `field_finder` finds the id, by which `client` tells records apart from here on.
5. `paginator_finder` finds the paginator, by experiments of `parameter_search` with the names in
   `paging_candidates`; it is believed when `paging` reads three pages with it as a sync does: a
   `Paging`.
6. `end_finder` reaches the end with it: an `End`, with the records; `list_questions` asks what
   that leaves open.
7. `contract_finder` finds the fields in a `Sample` of these, by `field_finder` and `time_finder`,
   whose tables are `field_words` and `time_formats`.
8. `connect` makes the document of all that, which `source_yaml` writes.

A `Discovery` goes through these steps, and gathers facts, with what shows them, and questions.
Nothing is believed that the answers do not show; what is in doubt is a question.

`runner.probe` compares a source with its API (`event-assets probe`, and observing `events_api`).
`probed_source` takes steps 3, 5 and 6 with the configuration in place of what would be found, in at
most twelve requests; the `*_checks` modules judge it, by what steps 3 to 7 would find, as a
`Report`.

Below both, `client` sends variations of one request, each once, through `session`, which keeps to a
budget and gives the key to its own host only; a `Page` is what came.
"""
