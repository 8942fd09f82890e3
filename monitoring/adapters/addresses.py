"""Where alerts may be posted to: https, a public address, the port of https; checked at the connect itself.

The rules are those against server-side request forgery: a name is resolved once, every answer must be a global
address, and the connection goes to the address that was checked.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from monitoring.adapters.words import NotSent

PORTS = (443, 8443)


def check(url: str, *, private: bool) -> str:
    """Return ``url``, or raise NotSent (permanently) saying what is wrong with it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotSent(f"the address cannot be read: {error}", permanent=True) from None
    if not parts.hostname or parts.scheme not in ("https", "http"):
        raise NotSent("the address is not one of the web", permanent=True)
    if parts.username is not None or parts.password is not None:
        raise NotSent("the address carries a user name", permanent=True)
    if private:
        return url
    if parts.scheme != "https":
        raise NotSent("the address is not https (MONITORING_ALLOW_PRIVATE_ADDRESSES lets it)", permanent=True)
    if (port or 443) not in PORTS:
        raise NotSent(f"port {port} is not one of {', '.join(map(str, PORTS))}", permanent=True)
    return url


def public_only(host: str, port: int) -> str:
    """Return the address to connect to; raise NotSent when any answer for ``host`` is not a global one."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotSent(f"{host} is not known: {error.strerror or error}") from None
    answers = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    for each in answers:
        if not _is_global(each):
            raise NotSent(f"{host} leads to {each}, which is not a public address", permanent=True)
    return str(answers[0])


def _is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or _nat64(address)
        if inner is not None:
            return inner.is_global
    return address.is_global and not address.is_multicast


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
