"""Which events are current."""

# The events that the newest complete sync of everything saw, and newer ones. An event that came,
# but with a record that breaks the contract, stays as it was.
CURRENT = """
with complete as (
    select coalesce(max(load_id), '') as load_id
    from {schema}.event_data_syncs where complete and full_sync is not false
)
select * from {schema}.event_data
where _dlt_load_id >= (select load_id from complete)
    or id in (
        select id from {schema}.event_data_rejects
        where load_id >= (select load_id from complete)
    )
"""
