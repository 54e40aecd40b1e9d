"""The policy steps over plain values: no database, no server."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping

import pytest

from services.gateway import api_key
from services.gateway.errors import QuotaUsedUp, ScopeMissing
from services.gateway.metering import Counted, Meter
from services.gateway.nginx import decide
from services.gateway.policy import STEPS, admit
from services.gateway.policy.guard import Guard
from services.gateway.policy.identify import usable
from services.gateway.policy.state import KeyRecord, Limits, State, neighbourhood
from shared.errors import MethodNotAllowed, NoSuchPath, RateLimited, TooLarge, Unauthenticated
from shared.http.call import Call
from shared.identity import PRINCIPAL_HEADER, Principal, sign_guest, verify
from shared.rates import MemoryRates
from shared.settings import Secret

SECRET = Secret("unit-" * 8)
KEY = api_key.new_key()
NARROW = api_key.new_key()


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def record(key: api_key.NewKey, scopes: tuple[str, ...] = ("predict", "write"), **changes: object) -> KeyRecord:
    principal = Principal(organisation="org-a", key_id=key.key_id, role="sme", scopes=frozenset(scopes))
    return KeyRecord(principal=principal, digest=bytes.fromhex(key.digest), **changes)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> State:
    return State(
        secret=SECRET,
        limits=Limits(anonymous=30, anonymous_predict=3, key=600),
        rates=MemoryRates(clock),
        meter=Meter(),
        guards={"catalog": Guard("catalog", most=4, when_slow=2)},
        clock=clock,
        keys={KEY.key_id: record(KEY), NARROW.key_id: record(NARROW, ())},
    )


def call(
    path: str = "/api/v1/solutions",
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    address: str = "198.51.100.7",
    length: int | None = None,
) -> Call:
    return Call(method=method, path=path, headers=headers or {}, address=address, body_length=length)


def by_key(key: api_key.NewKey = KEY) -> dict[str, str]:
    return {"x-api-key": key.text}


@pytest.mark.parametrize(
    "headers",
    [{"x-api-key": KEY.text}, {"authorization": f"Bearer {KEY.text}"}, {"authorization": f"bearer  {KEY.text} "}],
)
def test_both_headers_say_who_calls(state: State, headers: dict[str, str]) -> None:
    made = call(headers=headers)
    assert admit(made, state) is None
    assert made.principal.organisation == "org-a"
    assert verify(made.principal_token, SECRET, state.clock()) == made.principal


_OTHER = api_key.new_key().text
_FORGED = [
    {"x-api-key": ""},
    {"x-api-key": "zg_live_"},
    {"x-api-key": _OTHER},
    {"x-api-key": KEY.text[:-1]},
    {"x-api-key": KEY.text + "A"},
    {"x-api-key": KEY.text.upper()},
    {"x-api-key": KEY.text[:16] + _OTHER[16:48] + KEY.text[48:]},
    {"x-api-key": f"{KEY.text}, {KEY.text}"},
    {"x-api-key": f"{KEY.text}\x00"},
    {"x-api-key": KEY.key_id},
    {"x-api-key": KEY.digest},
    {"x-api-key": "密钥"},
    {"x-api-key": "x" * 100_000},
    {"authorization": ""},
    {"authorization": "Bearer"},
    {"authorization": "Bearer "},
    {"authorization": KEY.text},
    {"authorization": f"Basic {KEY.text}"},
    {"authorization": f"Token {KEY.text}"},
    {"authorization": f"Bearer {_OTHER}"},
    {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
    {"authorization": f"Bearer {KEY.text}", "x-api-key": _OTHER},
    {"authorization": f"Bearer {_OTHER}", "x-api-key": KEY.text},
    {"x-zhigai-guest": ""},
    {"x-zhigai-guest": "gst-1"},
    {"x-zhigai-guest": sign_guest("gst-1", Secret("other" * 8))},
    {"x-zhigai-guest": "x" * 5000},
    {"x-zhigai-guest": "gst-1", "x-api-key": KEY.text},
]


@pytest.mark.parametrize("headers", _FORGED)
def test_a_wrong_credential_is_refused_and_never_taken_for_none(state: State, headers: dict[str, str]) -> None:
    made = call(headers=headers)
    assert isinstance(admit(made, state), Unauthenticated)
    assert made.principal.organisation is None
    assert made.principal_token == ""


def test_an_unknown_key_costs_the_same_work_as_a_wrong_secret(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    head = KEY.text[:16] + _OTHER[16:48]
    wrong_secret = head + api_key._checksum(head)
    assert api_key.id_of(wrong_secret) == KEY.key_id
    done: list[tuple[str, int]] = []
    digest_of, compare = api_key.digest_of, hmac.compare_digest
    monkeypatch.setattr(api_key, "digest_of", lambda text: done.append(("hash", len(text))) or digest_of(text))
    monkeypatch.setattr(
        hmac, "compare_digest", lambda one, other: done.append(("compare", len(other))) or compare(one, other)
    )

    def work(text: str) -> list[tuple[str, int]]:
        done.clear()
        api_key.read.cache_clear()
        assert usable(text, state) is None
        return [*done]

    # The steps themselves, since a busy machine's clock says little about microseconds.
    assert work(_OTHER) == work(wrong_secret) == [("hash", len(_OTHER)), ("compare", 32)]


def test_a_key_ends_when_it_expires(state: State, clock: Clock) -> None:
    state.keys = {KEY.key_id: record(KEY, expires_at=clock.now + 10)}
    assert admit(call(headers=by_key()), state) is None
    clock.now += 11
    assert isinstance(admit(call(headers=by_key()), state), Unauthenticated)


def test_a_key_without_the_scope_is_told_which_one(state: State) -> None:
    refusal = admit(call("/v2/models/m/infer", by_key(NARROW), "POST"), state)
    assert isinstance(refusal, ScopeMissing)
    assert (refusal.needed, refusal.key_id) == ("predict", NARROW.key_id)
    assert admit(call("/v2/models/m/infer", by_key(), "POST"), state) is None


def test_a_guest_reaches_its_own_things_and_an_anonymous_caller_does_not(state: State) -> None:
    token = sign_guest("gst-1", SECRET, state.clock())
    guest = call("/api/v1/enquiries", {"x-zhigai-guest": token}, "POST")
    assert admit(guest, state) is None
    assert (guest.principal.guest, guest.principal.owner) == ("gst-1", "gst-1")
    guest.end()
    assert isinstance(admit(call("/api/v1/enquiries", method="POST"), state), Unauthenticated)
    assert isinstance(admit(call("/v2/models/m/infer", {"x-zhigai-guest": token}, "POST"), state), Unauthenticated)


def test_with_key_and_guest_the_key_owns_and_the_guest_is_named(state: State) -> None:
    both = call(headers={**by_key(), "x-zhigai-guest": sign_guest("gst-1", SECRET, state.clock())})
    assert admit(both, state) is None
    assert (both.principal.owner, both.principal.guest) == ("org-a", "gst-1")


def test_without_a_key_one_learns_that_a_path_or_method_is_not_there(state: State) -> None:
    listed = {"/api/v1/keys": frozenset({"GET", "POST"}), "/api/v1/keys/none": frozenset[str]()}
    state.methods_of = lambda service, path: listed.get(path)
    wrong = admit(call("/api/v1/keys", method="PUT"), state)
    assert isinstance(wrong, MethodNotAllowed)
    assert wrong.allowed == ("GET", "POST")
    assert isinstance(admit(call("/api/v1/keys/none", method="PUT"), state), NoSuchPath)
    assert isinstance(admit(call("/api/v1/keys"), state), Unauthenticated)
    assert isinstance(admit(call("/api/v1/usage"), state), Unauthenticated)


def test_a_limit_counts_an_address_and_says_what_is_left(state: State, clock: Clock) -> None:
    first = call("/api/v1/subsidies/estimate", method="POST")
    assert admit(first, state) is None
    assert first.answer_headers["ratelimit-policy"] == '"anonymous-work";q=3;w=60'
    assert first.answer_headers["ratelimit"] == '"anonymous-work";r=2;t=20'
    for _ in range(2):
        assert admit(call("/api/v1/subsidies/estimate", method="POST"), state) is None
    over = call("/api/v1/subsidies/estimate", method="POST")
    refusal = admit(over, state)
    assert isinstance(refusal, RateLimited)
    assert (refusal.limit, refusal.retry_after_s) == (3, 20)
    assert over.answer_headers["ratelimit"].startswith('"anonymous-work";r=0;')
    assert admit(call("/api/v1/subsidies/estimate", method="POST", address="198.51.100.8"), state) is None
    clock.now += 20
    assert admit(call("/api/v1/subsidies/estimate", method="POST"), state) is None


def test_a_guest_token_buys_no_further_calls(state: State) -> None:
    outcomes = []
    for number in range(5):
        token = sign_guest(f"gst-{number}", SECRET, state.clock())
        outcomes.append(admit(call("/api/v1/subsidies/estimate", {"x-zhigai-guest": token}, "POST"), state))
    assert [outcome is None for outcome in outcomes] == [True, True, True, False, False]


def test_keys_have_limits_of_their_own(state: State) -> None:
    state.keys = {KEY.key_id: record(KEY, per_minute=2), NARROW.key_id: record(NARROW)}
    assert [admit(call(headers=by_key()), state) is None for _ in range(3)] == [True, True, False]
    assert admit(call("/api/v1/articles", by_key(NARROW)), state) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("no address", "no address", True),
    ],
)
def test_an_ipv6_subscriber_is_one_caller(one: str, other: str, same: bool) -> None:
    assert (neighbourhood(one) == neighbourhood(other)) is same


def test_a_quota_is_given_back_when_the_call_fails(state: State) -> None:
    state.keys = {KEY.key_id: record(KEY, monthly_quota=2)}
    state.quota_left = {KEY.key_id: 2}
    failed = call("/v2/models/m/infer", by_key(), "POST")
    assert admit(failed, state) is None
    failed.status = 503
    failed.end()
    assert state.quota_left[KEY.key_id] == 2
    for _ in range(2):
        used = call("/v2/models/m/infer", by_key(), "POST")
        assert admit(used, state) is None
        used.status = 200
        used.end()
    refusal = admit(call("/v2/models/m/infer", by_key(), "POST"), state)
    assert isinstance(refusal, QuotaUsedUp)
    assert 0 < refusal.retry_after_s <= 31 * 86_400
    assert admit(call("/api/v1/me", by_key()), state) is None


@pytest.mark.parametrize(
    ("path", "length", "fits"),
    [
        ("/api/v1/enquiries", 1_000_000, True),
        ("/api/v1/enquiries", 1_000_001, False),
        ("/v2/models/m/infer", 8 * 1024 * 1024, True),
        ("/v2/models/m/infer", 8 * 1024 * 1024 + 1, False),
        ("/api/v1/datasets", 64 * 1024 * 1024, True),
        ("/api/v1/datasets", 64 * 1024 * 1024 + 1, False),
    ],
)
def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    state: State, path: str, length: int, fits: bool
) -> None:
    refusal = admit(call(path, by_key(), "POST", length=length), state)
    assert refusal is None if fits else isinstance(refusal, TooLarge)


def test_what_was_taken_is_given_back_whatever_happened(state: State) -> None:
    for _ in range(50):
        passing = call(headers=by_key())
        assert admit(passing, state) is None
        passing.end()
        passing.end()
    assert [admit(call(headers=by_key()), state) is None for _ in range(5)] == [True] * 4 + [False]


def test_calls_are_counted_once_by_key_and_route_with_what_became_of_them(state: State) -> None:
    for headers, status in ((by_key(), 200), (by_key(), 200), (by_key(), 404), ({}, 200), ({"x-api-key": "x"}, 401)):
        made = call(headers=headers)
        admit(made, state)
        made.status = status
        made.end()
    health = call("/healthz")
    assert admit(health, state) is None
    health.end()
    assert state.meter.take() == {
        (KEY.key_id, "read"): Counted(calls=2, errors=1),
        ("-", "read"): Counted(calls=1, errors=1),
    }
    assert state.meter.take() == {}


def test_the_principal_is_signed_once_a_second_and_caller(state: State, clock: Clock) -> None:
    tokens = []
    for _ in range(3):
        made = call(headers=by_key())
        admit(made, state)
        made.end()
        tokens.append(made.principal_token)
    assert len(set(tokens)) == 1
    clock.now += 1.1
    made = call(headers=by_key())
    admit(made, state)
    assert made.principal_token != tokens[0]


def test_a_changed_role_is_signed_at_once(state: State) -> None:
    before = call(headers=by_key())
    admit(before, state)
    state.keys = {KEY.key_id: record(KEY, ("review",))}
    after = call(headers=by_key())
    admit(after, state)
    assert verify(after.principal_token, SECRET, state.clock()).scopes == frozenset({"review"})


def test_every_step_is_a_file_of_its_name() -> None:
    assert [step.__module__.rpartition(".")[2] for step in STEPS] == [step.__name__ for step in STEPS]


# What nginx is told.


def ask(state: State, uri: str, method: str = "POST", **headers: str) -> tuple[int, dict[str, str]]:
    asked = {"x-original-uri": uri, "x-original-method": method, **{n.replace("_", "-"): v for n, v in headers.items()}}
    return decide(call("/internal/authorise", asked), state)


def test_a_proxy_gets_the_signed_principal_and_the_key_id(state: State) -> None:
    status, headers = ask(state, "/v2/models/m/infer?x=1", x_api_key=KEY.text)
    assert status == 204
    assert verify(headers[PRINCIPAL_HEADER], SECRET, state.clock()).organisation == "org-a"
    assert headers["X-Zhigai-Key-Id"] == KEY.key_id
    assert KEY.text not in str(headers)


def test_a_proxy_only_ever_gets_204_401_or_403(state: State) -> None:
    state.quota_left = {NARROW.key_id: 0}
    assert ask(state, "/v2/models/m/infer")[0] == 401
    assert ask(state, "/v2/models/m/infer", x_api_key="wrong")[0] == 401
    status, headers = ask(state, "/v2/models/m/infer", x_api_key=NARROW.text)
    assert (status, headers["X-Zhigai-Reason"]) == (403, "forbidden")
    status, headers = ask(state, "/nowhere", x_api_key=KEY.text)
    assert (status, headers["X-Zhigai-Reason"]) == (403, "no-such-path")
    for _ in range(3):
        assert ask(state, "/api/v1/components/c/predict")[0] == 204
    status, headers = ask(state, "/api/v1/components/c/predict")
    assert (status, headers["X-Zhigai-Reason"], headers["Retry-After"]) == (403, "rate-limited", "20")


def test_a_proxys_question_is_not_counted_as_usage(state: State) -> None:
    ask(state, "/v2/models/m/infer", x_api_key=KEY.text)
    assert state.meter.take() == {}
