import pytest

from stadtherz.base.errors import Invalid
from stadtherz.base.mailserver import MailServer


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", MailServer("mail.example", 25)),
        ("smtp://mail.example:2525", MailServer("mail.example", 2525)),
        ("smtps://u:p%40w@mail.example", MailServer("mail.example", 465, "u", "p@w", tls=True)),
        ("smtp://mail.example?starttls=1", MailServer("mail.example", 587, starttls=True)),
        ("smtp://mail.example?starttls=0", MailServer("mail.example", 25)),
    ],
)
def test_the_server_is_read_from_its_url(url: str, expected: MailServer) -> None:
    assert MailServer.from_url(url) == expected


@pytest.mark.parametrize(
    "url", ["http://mail.example", "mail.example", "smtp://", "smtp://host:mail", "smtp://[host"]
)
def test_another_url_is_refused_with_the_way_out(url: str) -> None:
    with pytest.raises(Invalid, match="smtp://user:password@host:port") as refused:
        MailServer.from_url(url)
    assert refused.value.field == "STADTHERZ_SMTP_URL"
