from hindsight.profiles.codec import decode, encode
from hindsight.profiles.logs import hour, stored_sample
from hindsight.profiles.logs.hour import HourProfiles, decode_hour, encode_hour
from hindsight.profiles.profile import FORMAT, Profile
from hindsight.profiles.sample import RowSample, SampledRow, hash_ids

IDS = ["kept-1", "gone", "kept-2"]


def profile() -> Profile:
    rows = [
        SampledRow.of(int(hash_), {"prediction_id": name, "features": {"x": 1}})
        for name, hash_ in zip(IDS, hash_ids(IDS), strict=True)
    ]
    empty = Profile.empty()
    return Profile(rows=3, features=empty.features, score=empty.score, sample=RowSample.of(rows, capacity=10))


def names(found: Profile) -> set[str]:
    return {row["prediction_id"] for row in found.sample.rows}


def test_stored_profile_loses_the_rows_of_some_predictions_and_nothing_else() -> None:
    left, taken = stored_sample.without_rows(encode(profile()), {"gone", "never-there"})
    found = decode(left)
    assert (taken, names(found), found.rows) == (1, {"kept-1", "kept-2"}, 3)


def test_profile_without_such_rows_stays_byte_by_byte() -> None:
    content = encode(profile())
    assert stored_sample.without_rows(content, {"never-there"}) == (content, 0)


def test_every_version_of_an_hour_loses_the_sample_and_merged_ones_stay() -> None:
    content = encode_hour(HourProfiles({"v1": profile(), "v2": profile()}, {7: 8}))
    left, taken = stored_sample.hour_without_rows(content, {"gone"})
    found = decode_hour(left)
    assert taken == 2
    assert [names(found.by_version[version]) for version in ("v1", "v2")] == [{"kept-1", "kept-2"}] * 2
    assert dict(found.merged) == {7: 8}
    assert stored_sample.hour_without_rows(content, set()) == (content, 0)


def test_formats_are_those_that_are_written() -> None:
    assert hour.FORMAT == FORMAT == stored_sample._FORMAT
