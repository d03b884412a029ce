import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.diagnostics_account import account_of

SUFFIX = "core.windows.net"


@pytest.mark.parametrize(
    "uri",
    [
        "https://diag01.blob.core.windows.net",
        "https://diag01.blob.core.windows.net/",
        "https://diag01.blob.core.windows.net:443/",
        "https://diag01.z1.blob.core.windows.net/",
        "https://diag01.z123.blob.core.windows.net/",
        "HTTPS://Diag01.Blob.Core.Windows.NET/",
    ],
)
def test_the_address_of_a_blob_service_names_its_account(uri: str) -> None:
    assert account_of(uri, SUFFIX) == "diag01"


@pytest.mark.parametrize("name", ["abc", "a" * 24, "123"])
def test_every_name_that_azure_allows_is_read(name: str) -> None:
    assert account_of(f"https://{name}.blob.{SUFFIX}/", SUFFIX) == name


@pytest.mark.parametrize(
    "name", ["", "ab", "a" * 25, "a-b", "a_b", "a.b", "d\u0131ag", "\u212aiosk", "\uff44iag", "d%69ag", "*"]
)
def test_what_is_no_accounts_name_is_not_asked_for(name: str) -> None:
    assert account_of(f"https://{name}.blob.{SUFFIX}/", SUFFIX) is None


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "diag01",
        "//diag01.blob.core.windows.net/",
        "https:diag01.blob.core.windows.net",
        "https:/diag01.blob.core.windows.net/",
        "http://diag01.blob.core.windows.net/",
        "ftp://diag01.blob.core.windows.net/",
        "file:///diag01.blob.core.windows.net/",
        # somebody's name and password
        "https://user@diag01.blob.core.windows.net/",
        "https://user:secret@diag01.blob.core.windows.net/",  # pragma: allowlist secret - a host
        "https://@diag01.blob.core.windows.net/",
        "https://diag01.blob.core.windows.net@evil.example/",
        # ports
        "https://diag01.blob.core.windows.net:80/",
        "https://diag01.blob.core.windows.net:4430/",
        "https://diag01.blob.core.windows.net:0443/",
        "https://diag01.blob.core.windows.net:/",
        "https://diag01.blob.core.windows.net:x/",
        "https://diag01.blob.core.windows.net:99999/",
        "https://diag01.blob.core.windows.net:\u0664\u0664\u0663/",
        # other hosts
        "https://evil.example/",
        "https://diag01.blob.evilcore.windows.net/",
        "https://diag01.blob.core.windows.net.evil/",
        "https://diag01.blob.core.windows.net.evil.example/",
        "https://diag01.blobcore.windows.net/",
        "https://diag01blob.core.windows.net/",
        "https://blob.core.windows.net/",
        "https://diag01.queue.core.windows.net/",
        "https://evil.diag01.blob.core.windows.net/",
        "https://diag01.blob.core.windows.net./",
        "https://diag01.blob.coreXwindows.net/",
        "https://diag01.blob.core.chinacloudapi.cn/",
        "https://diag01.z.blob.core.windows.net/",
        "https://diag01.z1234.blob.core.windows.net/",
        "https://diag01.z1.z2.blob.core.windows.net/",
        "https://diag01.y1.blob.core.windows.net/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[diag01.blob.core.windows.net]/",
        "https://[diag01.blob.core.windows.net/",
        # dots and letters that only look like it
        "https://diag01\u3002blob\u3002core.windows.net/",
        "https://diag01\uff0eblob.core.windows.net/",
        "https://diag01.blob.core.window\u017f.net/",
        "https://diag01.z\u0661.blob.core.windows.net/",
        "https://diag01%2eblob.core.windows.net/",
        # more than the host
        "https://diag01.blob.core.windows.net//",
        "https://diag01.blob.core.windows.net/container",
        "https://diag01.blob.core.windows.net/..",
        "https://diag01.blob.core.windows.net/?sig=x",
        "https://diag01.blob.core.windows.net/?",
        "https://diag01.blob.core.windows.net?x",
        "https://diag01.blob.core.windows.net/#x",
        "https://diag01.blob.core.windows.net/#",
        "https://diag01.blob.core.windows.net/;x",
        "https://evil.example\\diag01.blob.core.windows.net/",
        "https://diag01.blob.core.windows.net\\@evil.example/",
    ],
)
def test_everything_else_names_no_account(uri: str) -> None:
    assert account_of(uri, SUFFIX) is None


@given(st.integers(0, 37), st.sampled_from(" \t\r\n\v\f\x00\x1f\x7f\x85\xa0\u2028\u200b\u00ad\ufeff"))
def test_no_space_or_sign_that_cannot_be_seen_is_passed_over(where: int, sign: str) -> None:
    """Parsers of URLs drop some of them, so the text would say one thing and name another."""
    uri = f"https://diag01.blob.{SUFFIX}/"
    assert len(uri) == 37
    assert account_of(uri[:where] + sign + uri[where:], SUFFIX) is None


def test_every_cloud_has_its_own_suffix() -> None:
    uri = "https://diag01.blob.core.chinacloudapi.cn/"
    assert account_of(uri, "core.chinacloudapi.cn") == "diag01"
    assert account_of(uri, SUFFIX) is None


@given(st.text(max_size=60))
def test_any_text_at_all_is_answered(text: str) -> None:
    assert account_of(text, SUFFIX) is None
    assert account_of(f"https://{text}/", SUFFIX) is None or "blob" in text.lower()
