"""Calling an address that somebody outside gave us: the guarded client, and the only one for such addresses.

https only; the name is resolved once, every address it has must be a public one, and the connection goes to that very
address with the name for TLS and Host, so that a second answer of a resolver changes nothing. No redirects, no proxies,
short timeouts, an answer of limited size.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from services.models.errors import EndpointFailed, UnsafeAddress

CONNECT_S, READ_S, WHOLE_S = 2.0, 5.0, 8.0
MOST_BYTES = 1_000_000
LONGEST_URL = 500
_NOT_OURS = tuple(
    ipaddress.ip_network(each)
    for each in ("100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16",
                 "2001::/23", "fec0::/10", "::/96", "::ffff:0:0/96")
)  # fmt: skip
"""Beside what is not global: shared space, and addresses that carry another address inside."""


@dataclass(frozen=True)
class Target:
    """An address that was checked, and where exactly it leads."""

    url: str
    scheme: str
    host: str
    port: int
    address: str
    path: str


@dataclass(frozen=True)
class Got:
    status: int
    media_type: str
    body: bytes


def checked_url(url: str, domains: Sequence[str] | None = None, *, loopback: bool = False) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of an address that may be called as far as its text tells. Raises `UnsafeAddress`.

    `domains`: those that the provider declared; the host is one of them or below one. `loopback` lets plain http to
    this machine pass, for tests on one machine.
    """
    said = url[:120]
    if len(url) > LONGEST_URL or not url.isascii() or any(each <= " " or each == "\\" for each in url):
        raise UnsafeAddress(url=said, reason="应为普通的 https 地址 / must be a plain https address")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UnsafeAddress(url=said, reason="不是地址 / is no address") from None
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme != "https" and not (loopback and parts.scheme == "http" and host in ("127.0.0.1", "localhost")):
        raise UnsafeAddress(url=said, reason="只用 https / https only")
    if not host or parts.username is not None or parts.password is not None or parts.fragment or "@" in parts.netloc:
        raise UnsafeAddress(url=said, reason="不含用户名、密码和片段 / no user, password or fragment")
    if not loopback and ("." not in host or _is_address(host)):
        raise UnsafeAddress(url=said, reason="须用域名 / must name a domain")
    if port not in (None, 443) and not loopback:
        raise UnsafeAddress(url=said, reason="只用 443 端口 / port 443 only")
    if domains is not None and not any(host == each or host.endswith(f".{each}") for each in domains):
        reason = f"不属于申报的域名 {', '.join(domains)[:120]} / is not of a declared domain"
        raise UnsafeAddress(url=said, reason=reason)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path


def resolved(url: str, domains: Sequence[str] | None = None, *, loopback: bool = False) -> Target:
    """Resolves once. One address inside the network among several refuses them all. Raises `UnsafeAddress`,
    `EndpointFailed` when the name has no address."""
    scheme, host, port, path = checked_url(url, domains, loopback=loopback)
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise EndpointFailed(component=host, reason="域名没有地址 / the name has no address") from None
    inside = [each for each in found if not is_public(each)]
    if inside and not (loopback and all(ipaddress.ip_address(each).is_loopback for each in inside)):
        raise UnsafeAddress(url=url[:120], reason="指向内部网络 / leads inside the network")
    address = min(found, key=lambda each: (":" in each, each))
    return Target(url, scheme, host, port, address, path)


def is_public(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    within = any(found.version == each.version and found in each for each in _NOT_OURS)
    return found.is_global and not found.is_multicast and not found.is_reserved and not within


def post(target: Target, body: bytes, headers: Mapping[str, str]) -> Got:
    """One post of JSON. Raises `EndpointFailed` whatever goes wrong; the text of an exception is told to nobody."""
    sent = {**headers, "Host": _host_of(target), "Content-Type": "application/json", "Accept": "application/json",
            "Accept-Encoding": "identity", "User-Agent": "zhigai"}  # fmt: skip
    connection = _connection(target)
    # A server that sends a letter every few seconds keeps each read alive; the whole has an end of its own.
    ending = threading.Timer(WHOLE_S, _cut, (connection,))
    ending.daemon = True
    try:
        connection.connect()
        if connection.sock is not None:
            connection.sock.settimeout(READ_S)
        ending.start()
        connection.request("POST", target.path, body=body, headers=sent, preload_content=False, decode_content=False)
        answer = connection.getresponse()
        if 300 <= answer.status < 400:
            raise EndpointFailed(component=target.host, reason=f"转向 {answer.status}，不跟随 / redirects")
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        content = answer.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise EndpointFailed(component=target.host, reason=f"回答超过 {MOST_BYTES} 字节 / answer too large")
        return Got(answer.status, media_type, content)
    except TimeoutError:
        raise EndpointFailed(component=target.host, reason="超时 / timed out") from None
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError, EOFError) as wrong:
        reason = f"连接失败 / connection failed: {type(wrong).__name__}"
        raise EndpointFailed(component=target.host, reason=reason) from None
    finally:
        ending.cancel()
        connection.close()


def _cut(connection: HTTPConnection) -> None:
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def send(url: str, body: bytes, headers: Mapping[str, str], *, loopback: bool = False) -> None:
    """A post whose answer says no more than that it was taken (2xx). Raises `EndpointFailed`, `UnsafeAddress`."""
    got = post(resolved(url, loopback=loopback), body, headers)
    if not 200 <= got.status < 300:
        raise EndpointFailed(component=url[:80], reason=f"回答 {got.status} / answered {got.status}")


def _connection(target: Target) -> HTTPConnection:
    if target.scheme == "http":
        return HTTPConnection(target.address, target.port, timeout=CONNECT_S)
    return HTTPSConnection(
        target.address, target.port, timeout=CONNECT_S, server_hostname=target.host, assert_hostname=target.host,
        ssl_context=ssl.create_default_context(),
    )  # fmt: skip


def _host_of(target: Target) -> str:
    usual = 443 if target.scheme == "https" else 80
    return target.host if target.port == usual else f"{target.host}:{target.port}"


def _is_address(host: str) -> bool:
    """Also in the forms that resolvers take: 0x7f.1, 2130706433."""
    return host.startswith("[") or ":" in host or all(
        each.isdigit() or each.startswith("0x") for each in host.split(".") if each
    )  # fmt: skip
