"""The SQL by which `event_changes` is derived."""

CREATE = """
create or replace temp table changes_now as select {columns} from {schema}.event_changes limit 0
"""
FIND_DIFFERENCES = """
create or replace temp table moved as
select {key}, before.id is null as "is new", now.id is null as "is gone"{differences}
from {schema}.current_events as now
full join {schema}.event_changes_snapshot as before using ({key})
where before.id is null or now.id is null or {differs}
"""
DROP_TWINS = """
create or replace table {schema}.event_changes_snapshot as
select distinct on ({key}) * from {schema}.event_changes_snapshot
"""
NEWEST_SYNCS = """(
    select arg_max({ended}, sync_number) as ended,
        arg_max(started_at, sync_number) as started_at,
        arg_max(finished_at, sync_number) as finished_at,
        arg_max(load_id, sync_number) as load_id{of_part}
    from {schema}.event_data_syncs group by all
)"""
# An event may come back without a record: of an account that is listed again, or by another clock.
APPEARED = """
insert into changes_now
select if(gone.left_at > now.last_seen_at, sync.started_at, now.last_seen_at),
    if(gone.id is null, 'appeared', 'reappeared'), now.id, {name}, null, null, null,
    if(gone.left_at > now.last_seen_at, sync.load_id, now._dlt_load_id){of_now}
from moved join {schema}.event_data as now using ({key})
left join (
    select {key}, max(changed_at) as left_at from {schema}.event_changes
    where field is null and change in {left_changes} group by all
) as gone using ({key})
left join {newest_syncs} as sync on {same_account_now}
where moved."is new" and {not_first}
"""
CHANGED = """
insert into changes_now
select changed_at,
    if(part.field = 'status' and lower(part.new) in {cancelled}, 'cancelled', 'changed'),
    id, name, part.field, part.old, part.new, load_id{of_part}
from (
    select now.last_seen_at as changed_at, now.id, {name} as name, now._dlt_load_id as load_id,
        unnest([{parts}]) as part{of_now}
    from moved join {schema}.event_data as now using ({key})
    join {schema}.event_changes_snapshot as before using ({key})
    where not (moved."is new" or moved."is gone")
)
where {is_change}
"""
# A JSON text as its values by path: in any order of members, 10 as 10.0.
JSON_VALUE = """(
    select list({{'path': fullkey, 'value': case
        when type not in ('DOUBLE', 'BIGINT', 'UBIGINT') then concat(type, atom)
        when atom::double = round(atom::double)
            then coalesce(try_cast(atom::varchar as hugeint)::varchar, atom::varchar)
        else atom::double::varchar
    end}} order by fullkey)
    from json_tree({text}::json)
)"""
IS_CHANGE = {
    False: "part.old is distinct from part.new",
    True: f"{JSON_VALUE.format(text='part.old')} is distinct from "
    f"{JSON_VALUE.format(text='part.new')}",
}  # by whether the values are JSON
GONE = """
insert into changes_now
select sync.finished_at,
    case when {is_removed} then 'cancelled' when {end} < sync.ended then 'passed'
        else 'gone' end,
    before.id, {old_name}, null, null, null, sync.load_id{of_before}
from moved join {schema}.event_changes_snapshot as before using ({key})
join {newest_syncs} as sync on {same_account}
where moved."is gone"
"""
DELETE_FROM_SNAPSHOT = """
delete from {schema}.event_changes_snapshot
where ({key}) in (select ({key}) from moved where "is gone")
"""
UPDATE_SNAPSHOT = """
update {schema}.event_changes_snapshot as snapshot set {updated}
from (
    select {key}, {updated_columns} from {schema}.event_data
    where ({key}) in (select ({key}) from moved where not ("is new" or "is gone"))
) as now where {same_key}
"""
ADD_TO_SNAPSHOT = """
insert into {schema}.event_changes_snapshot by name
select {columns} from {schema}.event_data
where ({key}) in (select ({key}) from moved where "is new")
"""
REPLACE_SNAPSHOT = """
create or replace table {schema}.event_changes_snapshot as
select {columns} from {schema}.current_events
"""
MOVES = """
select change || coalesce(': ' || field, '') as what, change, count(distinct ({key})) as events
from changes_now group by all order by events desc limit 20
"""
# Rows without a number, of an older version, are as new to a reader as those that are added.
NUMBER = """
update {schema}.event_changes
set comparison_number = (select coalesce(max(comparison_number), 0) + 1 from {schema}.event_changes)
where comparison_number is null
"""
ADD = """
insert into {schema}.event_changes by name select *,
    (select coalesce(max(comparison_number), 0) + 1 from {schema}.event_changes)
        as comparison_number
from changes_now
"""
COMPARED = """
update {schema}.event_data_accounts set was_compared = true
where not was_compared and account in (select account from {schema}.event_data_syncs)
"""
KEY_PARAMETERS = {  # values in the statements: without accounts, and with accounts
    "key": ("id", "account, id"),
    "same_key": ("snapshot.id = now.id", "snapshot.account = now.account and snapshot.id = now.id"),
    "before_key": ("before.id", "before.account, before.id"),
    "of_now": ("", ", now.account"),
    "of_part": ("", ", account"),
    "of_before": ("", ", before.account"),
    "same_account": ("true", "sync.account = before.account"),
    "same_account_now": ("true", "sync.account = now.account"),
    "not_first": (
        "true",
        "now.account in (select account from {schema}.event_data_accounts where was_compared)",
    ),
}
