"""Live orders leave from the address that is registered with the broker, or not at all.

SEBI's rules for API orders want a static address; an order from another one is refused there. Where
REGISTERED_IP is set, live trading asks once at its start (a plain GET, nothing is told) and does not begin unless
the answer is that address.
"""

from __future__ import annotations

import ipaddress

from django.conf import settings

from sensequant.lib.errors import NotAllowed
from sensequant.lib.logs import get_logger

SECONDS, MOST = 5.0, 256
log = get_logger("egress")


def seen() -> str:
    """Return the address our requests come from, as EGRESS_IP_URL sees it; empty when that is not to be known."""
    import httpx

    try:
        with (
            httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", settings.DESK.egress_ip_url) as answer,
        ):
            said = next(answer.iter_bytes(MOST), b"") if answer.status_code == 200 else b""
        return str(ipaddress.ip_address(said.decode().strip()))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        log.warning("the address we are seen from is not known", reason=type(error).__name__)
        return ""


def require() -> None:
    """Raise NotAllowed where an address is registered and our requests do not, or not surely, come from it."""
    registered = settings.DESK.registered_ip
    if not registered:
        return
    found = seen()
    if found != str(ipaddress.ip_address(registered)):
        log.warning("live refused: not at the registered address", registered=registered, seen=found or "unknown")
        raise NotAllowed(
            f"requests come from {found or 'an unknown address'}, registered is REGISTERED_IP={registered}",
            fix="start the desk where the registered address is, or register the new one with the broker",
        )
