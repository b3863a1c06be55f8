from contextlib import suppress
from urllib.parse import parse_qs, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconnectingpty.size import Size
from reconnectingpty.wire.address import MAX_COMMAND, AttachRequest, InvalidQuery, build_query, parse_query

UUID = "123e4567-e89b-12d3-a456-426614174000"

names = st.from_regex(r"(?!\.)[A-Za-z0-9._-]{1,64}", fullmatch=True)
short = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=32)
requests = st.builds(
    AttachRequest,
    session=names,
    rows=st.integers(0, 65535),
    cols=st.integers(0, 65535),
    client=st.none() | names,
    attempt=st.none() | st.integers(0, (1 << 63) - 1),
    epoch=st.none() | st.from_regex(r"[0-9a-f]{1,64}", fullmatch=True),
    offset=st.none() | st.integers(0, (1 << 63) - 1),
    readonly=st.booleans(),
    attach_only=st.booleans(),
    answers=st.booleans(),
    command=st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t")),
    container=short,
    container_user=short,
    backend_type=short,
)


def read(query: str) -> AttachRequest:
    return parse_query(parse_qs(query, keep_blank_values=True, errors="replace"))


def complaints(query: str) -> dict[str, str]:
    with pytest.raises(InvalidQuery) as caught:
        read(query)
    return dict(caught.value.validations)


@given(requests)
def test_a_query_says_what_it_was_built_from(request: AttachRequest) -> None:
    assert read(build_query(request)) == request


@given(st.dictionaries(st.sampled_from(["reconnect", "width", "offset", "command", "epoch"]), st.lists(st.text())))
def test_whatever_is_asked_nothing_but_invalid_query_is_raised(parameters: dict[str, list[str]]) -> None:
    with suppress(InvalidQuery):
        assert parse_query(parameters).session


def test_a_session_id_is_enough() -> None:
    assert read(f"reconnect={UUID}") == AttachRequest(
        session=UUID,
        rows=80,
        cols=80,
        client=None,
        attempt=None,
        epoch=None,
        offset=None,
        readonly=False,
        attach_only=False,
        answers=True,
        command="",
        container="",
        container_user="",
        backend_type="",
    )


def test_everything_that_can_be_asked_for_is_understood() -> None:
    query = (
        "reconnect=s&width=100&height=30&client=c&attempt=7&epoch=AF&offset=9223372036854775807&readonly=1&attach_only=true"
        "&answers=0&command=ls%20-l&container=box&container_user=root&backend_type=buffered"
    )

    assert read(query) == AttachRequest(
        session="s",
        rows=30,
        cols=100,
        client="c",
        attempt=7,
        epoch="af",
        offset=(1 << 63) - 1,
        readonly=True,
        attach_only=True,
        answers=False,
        command="ls -l",
        container="box",
        container_user="root",
        backend_type="buffered",
    )


def test_what_is_not_known_is_ignored_even_twice() -> None:
    assert read("reconnect=s&new=1&new=2") == AttachRequest(session="s")


def test_an_empty_parameter_says_nothing() -> None:
    query = "reconnect=s&width=&height=&client=&attempt=&epoch=&offset=&readonly=&attach_only=&answers="
    query += "&command=&container=&backend_type="

    assert read(query) == AttachRequest(session="s")


@pytest.mark.parametrize("session", ["a", UUID, "..".join("ab"), "-", "_", "x" * 64, "A.b-c_9"])
def test_these_are_session_ids(session: str) -> None:
    assert read(f"reconnect={session}").session == session


@pytest.mark.parametrize("session", [".", ".hidden", "..", "x" * 65, "a/b", "a b", "a\n", "é", "a\0", "１", "a:b"])
def test_these_are_no_session_ids_nor_client_ids(session: str) -> None:
    assert complaints(f"reconnect={quote(session)}&client={quote(session)}").keys() == {"reconnect", "client"}


@pytest.mark.parametrize("query", ["", "width=80", "reconnect="])
def test_a_session_id_is_required(query: str) -> None:
    assert complaints(query) == {"reconnect": "is required: the session's id"}


def test_an_empty_list_of_values_is_no_value() -> None:
    assert parse_query({"reconnect": ["s"], "width": []}).cols == 80
    with pytest.raises(InvalidQuery, match="reconnect: is required"):
        parse_query({"reconnect": []})


@pytest.mark.parametrize(
    ("rows", "cols", "size"),
    [
        (24, 80, Size(24, 80)),
        (0, 80, None),
        (24, 0, None),
        (65535, 65535, Size(1000, 2000)),
    ],
)
def test_a_size_is_known_where_both_sides_are(rows: int, cols: int, size: Size | None) -> None:
    request = read(f"reconnect=s&height={rows}&width={cols}")

    assert (request.rows, request.cols) == (rows, cols)
    assert request.size == size


@pytest.mark.parametrize(
    ("parameter", "detail"),
    [
        *[(f"{side}={value}", "whole number from 0 to 65535") for side in ("width", "height") for value in (
            "65536", "-1", "%2B1", "1.0", "1e2", "wide", "٣", "²", "0x10", "1_000", " 1", "9" * 5000)],
        *[(f"{number}={value}", "whole number from 0 to 9223372036854775807") for number in
            ("offset", "attempt") for value in ("9223372036854775808", "-1", "9" * 5000, "NaN")],
        *[(f"epoch={value}", "1 to 64 hexadecimal digits") for value in ("g", "0x1f", "a" * 65, "-1", "a%0A")],
        *[(f"{flag}={value}", "must be 1 or 0") for flag in ("readonly", "attach_only", "answers") for value in (
            "yes", "True", "2", "-1", "on")],
        *[(f"command=a{value}b", "control characters") for value in ("%00", "%1B", "%07", "%0D", "%7F", "%C2%9B")],
        ("command=" + "x" * (MAX_COMMAND + 1), "at most 65536 bytes"),
        ("command=" + "%C3%A9" * (MAX_COMMAND // 2 + 1), "at most 65536 bytes"),
        ("container=a%00", "printable"),
        ("container=" + "x" * 257, "at most 256"),
        ("container_user=a%0Ab", "printable"),
        ("backend_type=" + "x" * 33, "at most 32"),
        ("backend_type=%1B", "printable"),
    ],
    ids=lambda value: value[:40],
)  # fmt: skip
def test_a_wrong_parameter_is_named_with_what_it_may_be(parameter: str, detail: str) -> None:
    found = complaints(f"reconnect=s&{parameter}")

    assert found.keys() == {parameter.partition("=")[0]}
    assert detail in next(iter(found.values()))


@pytest.mark.parametrize("command", ["x" * MAX_COMMAND, "é" * (MAX_COMMAND // 2), "if true\nthen\techo ❯\nfi"])
def test_a_command_may_be_long_and_of_several_lines(command: str) -> None:
    assert read(f"reconnect=s&command={quote(command)}").command == command


@pytest.mark.parametrize(("parameter", "most"), [("container", 256), ("container_user", 256), ("backend_type", 32)])
def test_a_name_may_be_as_long_as_its_bound(parameter: str, most: int) -> None:
    assert getattr(read(f"reconnect=s&{parameter}={'x' * most}"), parameter) == "x" * most


def test_a_command_that_is_no_unicode_text_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="command: must be Unicode text"):
        parse_query({"reconnect": ["s"], "command": ["\udcff"]})


@pytest.mark.parametrize(("text", "truth"), [("1", True), ("true", True), ("0", False), ("false", False)])
def test_a_flag_is_a_digit_or_a_word(text: str, truth: bool) -> None:
    request = read(f"reconnect=s&readonly={text}&attach_only={text}&answers={text}")

    assert (request.readonly, request.attach_only, request.answers) == (truth, truth, truth)


@pytest.mark.parametrize("name", ["reconnect", "width", "epoch", "command", "readonly", "backend_type"])
def test_a_parameter_may_be_given_once_only(name: str) -> None:
    assert complaints(f"reconnect=s&{name}=1&{name}=1").get(name) == "may be given once only"


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = complaints("reconnect=.&width=a&height=b&offset=c&epoch=z&client=%20&readonly=q&command=%00")

    assert list(found) == ["reconnect", "height", "width", "client", "epoch", "offset", "readonly", "command"]


def test_a_built_query_is_short_and_safe() -> None:
    assert build_query(AttachRequest(session="s")) == "reconnect=s&height=80&width=80"
    assert read(build_query(AttachRequest(session="s", command="a&b=\udcff"))).command == "a&b=\ufffd"
