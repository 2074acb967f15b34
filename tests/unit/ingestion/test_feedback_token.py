from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.feedback import FeedbackRules, FeedbackToken
from hindsight.core.errors import Unavailable
from hindsight.ingestion.feedback_capture import FeedbackCapture
from hindsight.ingestion.feedback_token import (
    KeyNotLookedUp,
    TokenExpired,
    TokenHolder,
    TokenInvalid,
    TokenKey,
    TokenMissing,
    TokenUnverified,
    mint,
    require_token,
    token_mint,
)
from hindsight.testing.aws.feedback_stream import InMemoryStream
from hindsight.testing.builders.configuration import configuration
from hindsight.validation.timestamps import ClientTimestamps

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KEY, OLD, FORGER = (TokenKey(letter * 32) for letter in (b"k", b"o", b"f"))
HOLDER = TokenHolder("bike-demand", "p-1", "events[0]")
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@dataclass
class Keys:
    """Two keys are good, the newer makes tokens."""

    keys: tuple[TokenKey, ...] = (KEY, OLD)

    def current(self) -> TokenKey:
        return self.keys[0]

    def named(self, name: str) -> TokenKey | None:
        return next((key for key in self.keys if key.name == name), None)


class BusyKeys(Keys):
    """Keys that cannot be looked up now, but for those that are known."""

    def named(self, name: str) -> TokenKey | None:
        if (found := super().named(name)) is None:
            raise KeyNotLookedUp("too many lookups")
        return found


class NoKeys(Keys):
    def current(self) -> TokenKey:
        raise AssertionError("a model without tokens reads no key")


@given(names, names, st.integers(1, 10**9), st.sampled_from([KEY, OLD]))
def test_a_token_speaks_for_its_prediction_until_it_expires(
    model: str, prediction_id: str, seconds: int, key: TokenKey
) -> None:
    expires_at = NOW + timedelta(seconds=seconds)
    token, holder = mint(key, model, prediction_id, expires_at), TokenHolder(model, prediction_id, "events[0]")
    require_token(Keys(), token, holder, expires_at - timedelta(seconds=1))
    with pytest.raises(TokenExpired, match=r"events\[0\]\.token has expired"):
        require_token(Keys(), token, holder, expires_at)


@given(st.data())
def test_any_change_of_a_token_makes_it_invalid(data: st.DataObject) -> None:
    token = mint(KEY, HOLDER.model, HOLDER.prediction_id, NOW + DAY)
    position = data.draw(st.integers(0, len(token) - 1))
    # The last character carries bits that base64 throws away: text is compared, so that they count too.
    other = data.draw(st.characters(codec="ascii").filter(lambda character: character != token[position]))
    with pytest.raises(TokenInvalid):
        require_token(Keys(), token[:position] + other + token[position + 1 :], HOLDER, NOW)


@given(names, names, names, names)
def test_no_token_speaks_for_another_model_or_prediction(model: str, prediction: str, other: str, another: str) -> None:
    token = mint(KEY, model, prediction, NOW + DAY)
    if (model, prediction) != (other, another):
        with pytest.raises(TokenInvalid):
            require_token(Keys(), token, TokenHolder(other, another, ""), NOW)


@pytest.mark.parametrize(
    "token",
    ["", ".", "v1", "v1...", "v2.a.1.b", f"v1.{KEY.name}.-1.x", f"v1.{KEY.name}.１.x", f"v1.{KEY.name}.{'9' * 400}.x",
     f"v1.{KEY.name}.1e9.x", "v1.\ud800.1.x", f"v1.{KEY.name}.01.x", "a.b.c.d.e"],
)  # fmt: skip
def test_malformed_token_is_refused_without_an_error(token: str) -> None:
    with pytest.raises(TokenInvalid):
        require_token(Keys(), token, HOLDER, NOW)


def test_a_forged_token_and_one_of_a_key_that_is_gone_are_refused() -> None:
    for key, keys in ((FORGER, Keys()), (OLD, Keys((KEY,)))):
        with pytest.raises(TokenInvalid):
            require_token(keys, mint(key, HOLDER.model, HOLDER.prediction_id, NOW + DAY), HOLDER, NOW)
    with pytest.raises(TokenMissing):
        require_token(Keys(), None, HOLDER, NOW)


def test_a_token_of_a_key_that_cannot_be_looked_up_now_is_to_be_sent_again() -> None:
    with pytest.raises(TokenUnverified, match="send the event again"):
        require_token(BusyKeys(), mint(FORGER, HOLDER.model, HOLDER.prediction_id, NOW + DAY), HOLDER, NOW)


def test_capture_lists_unverified_tokens_beside_accepted_feedback_and_is_unavailable_if_none_is_accepted() -> None:
    of = configuration().model_copy(update={"feedback": FeedbackRules(token=FeedbackToken(required=True))})
    stream = InMemoryStream()
    capture = FeedbackCapture(stream, ClientTimestamps.BOUNDED, BusyKeys())
    event = {"feedback_id": "f", "prediction_id": "p-1", "name": "demand", "value": 1}
    good, unknown = ({**event, "token": mint(key, of.model, "p-1", NOW + DAY)} for key in (KEY, FORGER))
    receipt = capture.capture(of, [good, unknown], NOW)
    assert (receipt.accepted, [one.code for one in receipt.rejected]) == (["f"], ["token_unverified"])
    assert len(stream.lines) == 1
    with pytest.raises(Unavailable, match="nothing was taken"):
        capture.capture(of, [{**good, "value": "many"}, unknown], NOW)
    assert len(stream.lines) == 1


def test_a_key_does_not_show_its_secret() -> None:
    assert repr(KEY) == f"TokenKey({KEY.name})"
    assert KEY.secret.decode() not in repr(KEY)


def test_capture_accepts_feedback_with_its_prediction_s_token_and_keeps_nothing_of_the_rest() -> None:
    rules = FeedbackRules(token=FeedbackToken(required=True))
    of = configuration().model_copy(update={"feedback": rules})
    stream = InMemoryStream()
    capture = FeedbackCapture(stream, ClientTimestamps.BOUNDED, Keys())
    tokens = token_mint(Keys(), of, NOW)
    assert tokens is not None
    event = {"feedback_id": "f", "prediction_id": "p-1", "name": "demand", "value": 1}
    sent = [
        {**event, "token": tokens("p-1")},
        {**event, "token": tokens("p-2")},
        event,
        {**event, "token": tokens("p-1"), "value": "many"},
    ]
    receipt = capture.capture(of, sent, NOW)
    assert (receipt.accepted, [one.code for one in receipt.in_order()]) == (
        ["f"],
        ["token_invalid", "token_missing", "invalid"],
    )
    assert len(stream.lines) == 2
    assert all(tokens("p-1").encode() not in line and b"token" not in line for line in stream.lines)
    late = capture.capture(of, sent[:1], NOW + rules.token.expires)
    assert [one.code for one in late.rejected] == ["token_expired"]


def test_a_model_that_asks_for_no_token_reads_no_key() -> None:
    assert token_mint(NoKeys(), configuration(), NOW) is None
    event = {"feedback_id": "f", "prediction_id": "p-1", "name": "demand", "value": 1, "token": "anything"}
    capture = FeedbackCapture(InMemoryStream(), ClientTimestamps.BOUNDED, NoKeys())
    assert capture.capture(configuration(), [event], NOW).accepted == ["f"]
