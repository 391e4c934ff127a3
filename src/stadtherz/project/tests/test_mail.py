import pytest

from stadtherz.project.mail import mail_settings


def test_without_a_server_no_mail_is_sent() -> None:
    assert "dummy" in mail_settings("")["EMAIL_BACKEND"]


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail.example", 25, False, False),
        ("smtp://mail.example:2525", 2525, False, False),
        ("smtp://mail.example?starttls=1", 587, True, False),
        ("smtps://mail.example", 465, False, True),
    ],
)
def test_port_and_encryption_follow_the_address(url: str, port: int, tls: bool, ssl: bool) -> None:
    settings = mail_settings(url)
    assert (settings["EMAIL_PORT"], settings["EMAIL_USE_TLS"], settings["EMAIL_USE_SSL"]) == (
        port,
        tls,
        ssl,
    )


def test_user_and_password_may_hold_any_sign() -> None:
    settings = mail_settings("smtp://town%40mail:p%2Fss@mail.example")
    assert (settings["EMAIL_HOST_USER"], settings["EMAIL_HOST_PASSWORD"]) == ("town@mail", "p/ss")
