"""A window of many label records fits in little memory; as dictionaries they would take two kilobytes each."""

from bench.label_window import measure

PREDICTIONS = 120_000
BYTES_A_PREDICTION = 400
# The stacks of readers, and what is in hand while objects are unzipped and read, however many there are.
IN_HAND = 160 << 20


def test_a_window_of_many_labels_is_checked_in_a_limited_process_within_400_bytes_a_prediction() -> None:
    found = measure(PREDICTIONS, IN_HAND + BYTES_A_PREDICTION * PREDICTIONS)
    assert found["labels"] > 0.99 * PREDICTIONS
    assert not found["truncated"]
