"""Another server may name its versions and decisions as it likes: what is held of them is bounded all the same."""

from datetime import timedelta

import numpy as np

from hindsight.config.metrics import Task
from hindsight.core.times import format_time
from hindsight.profiles.build import profile_rows
from hindsight.profiles.codec import encode
from hindsight.profiles.logs.hour import MAX_VERSIONS, OTHER_VERSIONS, HourProfiles, encode_hour
from hindsight.profiles.logs.hourly import MAX_WINDOW_VERSIONS, first_hour, hour_key, window_profile
from hindsight.profiles.logs.log_object import RowProfiler
from hindsight.profiles.logs.logged_versions import logged_beside
from hindsight.profiles.numbers import NumberSketch
from hindsight.profiles.profile import MAX_DECISIONS, Profile
from hindsight.profiles.reference import baseline_key
from hindsight.rollout.external.stored_baseline import StoredBaselines
from hindsight.testing.aws.lake import InMemoryLake
from tests.unit.profiles.builders import row
from tests.unit.profiles.profiled_logs import DAY, MODEL, NOW, RULES

ONE = profile_rows([row(1)], {}, Task.REGRESSION)


def test_window_holds_the_busiest_versions_and_the_others_as_one() -> None:
    lake = InMemoryLake()
    for hour in range(12):
        by_version = {f"v-{hour}-{number}": ONE for number in range(MAX_VERSIONS)}
        lake.write_bytes(hour_key(MODEL, DAY, f"{hour:02d}"), encode_hour(HourProfiles(by_version)), "x")
    found = window_profile(lake, MODEL, NOW, NOW + timedelta(days=1))
    assert len(found.by_version) == MAX_WINDOW_VERSIONS + 1
    assert (found.all.rows, found.of_version(OTHER_VERSIONS).rows) == (600, 100)


def test_object_of_as_many_versions_as_rows_is_profiled_by_few() -> None:
    rows = {f"v-{number}": [row(number)] for number in range(MAX_VERSIONS + 5)}
    found = RowProfiler({}, Task.REGRESSION).by_version(rows)
    assert (len(found), found[OTHER_VERSIONS].rows) == (MAX_VERSIONS + 1, 5)


def test_merged_profiles_hold_the_scores_of_the_commonest_decisions() -> None:
    score = NumberSketch.of(np.array([0.5]))
    empty = Profile.empty()
    parts = [
        Profile(rows=1, features={}, score=empty.score, score_by_decision={f"d-{number:03d}": score, "often": score})
        for number in range(MAX_DECISIONS + 20)
    ]
    found = Profile.merged(parts).score_by_decision
    assert (len(found), found["often"].rows) == (MAX_DECISIONS, MAX_DECISIONS + 20)


def test_foreign_object_among_the_hours_is_passed_over() -> None:
    lake = InMemoryLake()
    lake.write_bytes(hour_key(MODEL, DAY, "05"), encode_hour(HourProfiles({"v1": ONE})), "x")
    lake.write_bytes(hour_key(MODEL, DAY, "05").replace("hour=05", "notes"), encode(ONE), "x")
    found = first_hour(lake, MODEL, "v1", NOW - timedelta(days=1), NOW + timedelta(days=2))
    assert found == NOW + timedelta(hours=5)


def test_version_that_came_with_its_baseline_is_listed_beside_the_champion() -> None:
    lake = InMemoryLake()
    uploaded = f"uploads/model={MODEL}/rows.jsonl"
    features = dict.fromkeys(RULES.features)
    lake.write_lines(uploaded, [{"prediction_id": "p-1", "features": features, "score": 0.5, "decision": 1}])
    StoredBaselines(lake).build(RULES, "ours-3", uploaded, "baseline_key", NOW)
    lake.write_bytes(hour_key(MODEL, DAY, "05"), encode_hour(HourProfiles({"ours-3": ONE, "ours-2": ONE})), "x")
    recent = window_profile(lake, MODEL, NOW, NOW + timedelta(days=1))
    (found,) = logged_beside(lake, MODEL, recent, "ours-2")
    assert (found.version, found.first_logged_at) == ("ours-3", NOW)
    assert format_time(NOW) in lake.objects[baseline_key(MODEL, "ours-3")].decode()
