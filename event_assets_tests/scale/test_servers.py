"""The servers of these tests are real, and their own."""

import psycopg2
import redis as client

from event_assets_tests.scale.servers import Postgres


def test_each_test_has_an_empty_database_of_its_own(postgres: Postgres) -> None:
    first, second = postgres.database(), postgres.database()
    made = psycopg2.connect(first)
    made.cursor().execute("create table only_here (id int)")
    made.commit()
    made.close()
    other = psycopg2.connect(second)
    cursor = other.cursor()
    cursor.execute("select count(*) from pg_tables where tablename = 'only_here'")
    assert cursor.fetchone() == (0,)
    other.close()


def test_a_broker_keeps_what_it_is_given(redis: int) -> None:
    with client.Redis(port=redis) as broker:
        broker.lpush("queue", "task")
        assert broker.rpop("queue") == b"task"
