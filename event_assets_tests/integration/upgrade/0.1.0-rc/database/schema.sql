CREATE SCHEMA events;;
CREATE SCHEMA events_staging;;
CREATE TABLE events.event_calendar("day" DATE, status VARCHAR, events BIGINT);;
CREATE TABLE events.event_changes(changed_at TIMESTAMP WITH TIME ZONE, change VARCHAR, id VARCHAR, "name" VARCHAR, field VARCHAR, "old" VARCHAR, "new" VARCHAR, load_id VARCHAR);;
CREATE TABLE events.event_changes_snapshot(id VARCHAR, "name" VARCHAR, start_time TIMESTAMP WITH TIME ZONE, end_time TIMESTAMP WITH TIME ZONE, size BIGINT, tags JSON, venue__city VARCHAR);;
CREATE TABLE events.event_data(id VARCHAR NOT NULL, "name" VARCHAR, start_time TIMESTAMP WITH TIME ZONE, end_time TIMESTAMP WITH TIME ZONE, size BIGINT, tags JSON, venue__city VARCHAR, last_seen_at TIMESTAMP WITH TIME ZONE, _dlt_load_id VARCHAR NOT NULL);;
CREATE TABLE events.event_data_api(api VARCHAR);;
CREATE TABLE events.event_data_rejects(id VARCHAR, record JSON, field VARCHAR, reason VARCHAR, first_rejected_at TIMESTAMP WITH TIME ZONE, rejected_at TIMESTAMP WITH TIME ZONE, load_id VARCHAR);;
CREATE TABLE events.event_data_syncs(load_id VARCHAR, api VARCHAR, started_at TIMESTAMP WITH TIME ZONE, finished_at TIMESTAMP WITH TIME ZONE, requests BIGINT, retries BIGINT, bytes BIGINT, pages BIGINT, seams_held BIGINT, shifts_repaired BIGINT, sweeps BIGINT, rows_read BIGINT, distinct_ids BIGINT, total_reported BIGINT, rejects BIGINT, "columns" JSON, complete BOOLEAN, reason VARCHAR);;
CREATE TABLE events._dlt_loads(load_id VARCHAR NOT NULL, schema_name VARCHAR, status BIGINT NOT NULL, inserted_at TIMESTAMP WITH TIME ZONE NOT NULL, schema_version_hash VARCHAR);;
CREATE TABLE events._dlt_pipeline_state("version" BIGINT NOT NULL, engine_version BIGINT NOT NULL, pipeline_name VARCHAR NOT NULL, state VARCHAR NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, version_hash VARCHAR, _dlt_load_id VARCHAR NOT NULL, _dlt_id VARCHAR NOT NULL);;
CREATE TABLE events._dlt_version("version" BIGINT NOT NULL, engine_version BIGINT NOT NULL, inserted_at TIMESTAMP WITH TIME ZONE NOT NULL, schema_name VARCHAR NOT NULL, version_hash VARCHAR NOT NULL, "schema" VARCHAR NOT NULL);;
CREATE TABLE events_staging.event_data(id VARCHAR NOT NULL, "name" VARCHAR, start_time TIMESTAMP WITH TIME ZONE, end_time TIMESTAMP WITH TIME ZONE, size BIGINT, tags JSON, venue__city VARCHAR, last_seen_at TIMESTAMP WITH TIME ZONE, _dlt_load_id VARCHAR NOT NULL);;
CREATE TABLE events_staging._dlt_version("version" BIGINT NOT NULL, engine_version BIGINT NOT NULL, inserted_at TIMESTAMP WITH TIME ZONE NOT NULL, schema_name VARCHAR NOT NULL, version_hash VARCHAR NOT NULL, "schema" VARCHAR NOT NULL);;
CREATE VIEW events.current_events AS WITH complete AS (SELECT COALESCE(max(load_id), '') AS load_id FROM events.event_data_syncs WHERE complete)SELECT * FROM events.event_data WHERE ((_dlt_load_id >= (SELECT load_id FROM complete)) OR (id = ANY(SELECT id FROM events.event_data_rejects WHERE (load_id >= (SELECT load_id FROM complete)))));;

