"""A log line tells what happened and never a secret."""

import pytest

from config.logs import redacted, without_secrets


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("GET /calendar/AbC-123.ics", "AbC-123"),
        ("/link/s3cretToken_x?next=/", "s3cretToken_x"),
        ("/live?token=abc.def&x=1", "abc.def"),
        ("https://h/a?x=1&access_token=zzz", "zzz"),
        ("postgresql+asyncpg://sanke:hunter2@db/sanke", "hunter2"),
        ("redis://:hunter2@redis:6379/0", "hunter2"),
        ("rtsp://admin:first@hunter2@10.0.0.1:554/live", "hunter2"),
    ],
)
def test_secrets_in_a_text_are_hidden(text: str, hidden: str) -> None:
    shown = without_secrets(text)
    assert hidden not in shown
    assert "***" in shown


def test_secrets_are_hidden_by_the_name_of_their_field() -> None:
    event = {"event": "signed_in", "password": "a", "join_token": "b", "pin": "1234", "cookie": "c", "seconds": 12}
    shown = redacted(None, "info", dict(event))
    assert shown == {
        "event": "signed_in",
        "password": "***",
        "join_token": "***",
        "pin": "***",
        "cookie": "***",
        "seconds": 12,
    }


def test_ordinary_words_stay() -> None:
    text = "viewer_left room=ab12 https://sanke.example/planner/demo?week=3"
    assert without_secrets(text) == text
