"""What a person may do to the tables: what a sync heals, and what it says of the rest."""

HEALED = (
    """
drop table events.event_data
delete from events.event_data
delete from events.event_data where id < 'e2'
alter table events.event_data rename to old
alter table events.event_data rename to "Event_Data"; \
    alter table events.event_data_syncs rename to "Event_Data_Syncs"; \
    alter table events._dlt_loads rename to "_DLT_Loads"
drop schema events cascade
alter table events.event_data drop column name; alter table events.event_data drop column status
alter table events.event_data drop column _dlt_load_id
alter table events.event_data drop column last_seen_at
alter table events.event_data rename column status to state
alter table events.event_data rename column status to "Status"
alter table events.event_data alter start_time type varchar
alter table events.event_data alter start_time type timestamp
alter table events.event_data alter start_time type date
alter table events.event_data alter seats type varchar
alter table events.event_data alter seats type integer
alter table events.event_data alter seats type decimal(10, 2)
alter table events.event_data alter tags type varchar
alter table events.event_data alter _dlt_load_id type double
alter table events.event_data add _dlt_id varchar; update events.event_data set _dlt_id = id; \
    alter table events.event_data alter _dlt_id set not null
create type mood as enum ('scheduled'); alter table events.event_data alter status type mood
create table copy as from events.event_data; drop table events.event_data; \
    create table events.event_data as from copy
drop table events.event_data; create table events.event_data (id integer, name varchar)
insert into events.event_data by name from events.event_data limit 1
alter table events.event_data alter _dlt_load_id drop not null; \
    insert into events.event_data (id, name) values ('e1', 'by hand'); \
    update events.event_data set _dlt_load_id = null
create table copy as select id, _dlt_load_id from events.event_data; \
    drop table events.event_data; create table events.event_data \
    (id varchar check (length(id) > 1), _dlt_load_id varchar, mine varchar as (upper(id))); \
    insert into events.event_data by name from copy
create macro main.upper2(a) as upper(a); create schema other; create table other.event_data as \
    from events.event_data; create table main.event_data as select 1 as a; \
    create table main.package as select 1 as a; create table main.kept as select 1 as a; \
    create table main.moved as select 1 as a; create table main.events as select 1 as id
create macro main.greatest(a, b) as 'x'; create macro main.get_bit(a, b) as 0
comment on table events.event_data is 'mine'; comment on column events.event_data.name is 'mine'
alter table events.event_data alter id drop not null
alter table events.event_data add primary key (id)
create index mine on events.event_data(start_time); create index other on events.event_data(seats)
create unique index mine on events.event_data(id); create index other on events.event_data(seats)
create unique index mine on events.event_data_rejects(id)
create index mine on events.event_data_syncs(sync_number)
create table events.event_data__indexes as select 'mine' as index_name, 'junk' as sql
create table events.event_data__indexes as select 1 as a
create view events.mine as from events.event_data
drop table events._dlt_loads
drop table events._dlt_pipeline_state
drop table events._dlt_version
drop table events._dlt_loads; drop table events._dlt_pipeline_state; drop table events._dlt_version
delete from events._dlt_loads; delete from events._dlt_version
alter table events._dlt_loads drop column schema_name
alter table events._dlt_version drop column schema
alter table events._dlt_pipeline_state drop column state
update events._dlt_version set schema = 'junk'
update events._dlt_version set schema = '5'
update events._dlt_version set schema = '{"tables": []}'
update events._dlt_version set schema = '{"name": "events", "tables": {"event_data": null}}'
update events._dlt_version set \
    schema = '{"name": "events", "tables": {"event_data": {"columns": {"id": 5}}}}'
update events._dlt_version set schema = replace(schema, '"text"', '"wei"')
update events._dlt_version set schema = replace(schema, '"text"', '[]')
update events._dlt_version set schema = replace(schema, '"seats"', '"SEATS"')
update events._dlt_pipeline_state set state = 'junk'
drop table events.event_data_syncs; drop table events.event_data_api
delete from events.event_data_syncs; delete from events.event_data_api
alter table events.event_data_syncs drop column sync_number
alter table events.event_data_syncs rename column load_id to mine
alter table events.event_data_syncs alter sync_number type varchar; \
    alter table events.event_data_syncs alter complete type varchar; \
    alter table events.event_data_syncs alter started_at type varchar
alter table events.event_data_api drop column id_paths
update events.event_data_api set id_paths = '5'
update events.event_data_api set id_paths = '[5]'
update events.event_data_api set id_paths = 'nan'
alter table events.event_data_syncs add column account varchar
alter table events.event_data add column "Moved" integer default 5; \
    alter table events.event_data add column owner integer default 7
alter table events.event_data add column "is new" integer; \
    alter table events.event_data add column "is gone" integer
alter table events.event_data_paths drop column path
update events.event_data_paths set path = '5'
update events.event_data_paths set path = '[nan]'
update events.event_data_syncs set columns = '{"id": nan}', unmatched = 'nan', repeats = 'nan'
drop table events.event_data_rejects
alter table events.event_data_rejects drop column record; \
    alter table events.event_data_rejects add column mine varchar; \
    alter table events.event_data_rejects alter first_rejected_at type varchar
drop view events.current_events; drop table events.event_calendar; drop table events.event_changes
alter table events.event_calendar drop column status; \
    alter table events.event_calendar add column mine varchar
alter table events.event_changes rename column new to newer; \
    alter table events.event_changes add column mine varchar
drop table events.event_changes_snapshot
alter table events.event_changes_snapshot drop column id
drop table events.event_changes_snapshot; create table events.event_changes_snapshot (id integer)
alter table events.event_changes_snapshot drop column name; \
    create index mine on events.event_changes(id)
""".replace("\\\n", "")
    .strip()
    .splitlines()
)
SAID = {
    "alter table events.event_data drop column id": "has no column `id` any more",
    "alter table events.event_data rename column id to uid": "has no column `id` any more",
    "alter table events.event_data alter name set not null": "NOT NULL constraint failed",
    "alter table events.event_data add column mine int; "
    "update events.event_data set mine = 1; "
    "alter table events.event_data alter mine set not null": "NOT NULL constraint failed",
    "create table copy as from events.event_data; drop table events.event_data; "
    "create view events.event_data as from copy": "is a view, and was a table: rename it",
    "drop view events.current_events; create table events.current_events as select 1 as a": "is a "
    "table, and was a view: rename it",
    "drop table events.event_calendar; create view events.event_calendar as select 1 as a": "is a "
    "view, and was a table: rename it",
    "drop table events._dlt_loads; create view events._dlt_loads as select 1 as a": "_dlt_loads",
    "drop table events.event_data_api; create view events.event_data_api as select 1 as a": "is a "
    "view, and was a table: rename it",
    "update events.event_data_syncs set sync_number = 9223372036854775807": "out of range",
    "alter table events.event_data_syncs alter complete type varchar; "
    "update events.event_data_syncs set complete = 'maybe'": "`alter complete type BOOLEAN` fails",
    "alter table events.event_data_api alter id_paths type varchar; "
    "update events.event_data_api set id_paths = 'junk'": "The table events.event_data_api",
    "drop table events.event_data_api; create table events.event_data_api "
    "(api varchar, id_paths varchar check (id_paths <> ''))": "The table events.event_data_api",
    "alter table events.event_data alter last_seen_at type varchar using 'never'": "correct the "
    "values of this column, or drop it, and sync again",
    "create unique index mine on events._dlt_loads(schema_name)": "unique constraint",
    "create table events.mine (id varchar); alter table events.event_data add primary key (id); "
    "drop table events.mine; create table events.mine (id varchar references events.event_data(id))"
    "": "depend on it; undo that, or rename or drop the table",
    "create macro main.count(a) as 'x'": "macro that it is about, and sync again",
    "create macro main.count_star() as 5": "macro that it is about, and sync again",
    "create macro main.max(a) as 'x'; create macro main.hash(a) as 'x'": "macro that it is about",
}
