"""The benchmark in small: an event reads no more of an entity with a long history than of one with a short one."""

from bench.busy_entity import READ_SECONDS, measure


def test_reads_of_a_join_do_not_grow_with_the_history() -> None:
    found = measure(histories=(400, 4_000), events=5)
    joins = found["joins"]
    for match, reads, entries in (("last", 4, 50), ("first", 4, 50), ("all", 6, 600)):
        few, many = (joins[f"{match} of {history}"] for history in (400, 4_000))
        assert few["reads"] == many["reads"] == reads
        assert max(few["entries"], many["entries"]) <= entries
    assert found["busy_entity_reads"] * READ_SECONDS == found["busy_entity_read_seconds"] < 0.05
