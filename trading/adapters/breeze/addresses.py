"""Where Breeze lives: ICICI's own hosts, or one origin that speaks for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from sensequant.lib.errors import BadInput

LOGIN = "apiuser/login"
MASTER = "MotherAppMaster/SecurityMaster.zip"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Every address the desk or the SDK opens; ``ohlc`` is a Socket.IO host with the path ``ohlcvstream``."""

    api: str
    api_v2: str
    ticks: str
    orders: str
    ohlc: str
    master: str
    login: str
    origin: str = ""  # empty: ICICI's own hosts

    @classmethod
    def of(cls, base_url: str) -> Addresses:
        """Return the addresses below ``base_url``, or ICICI's own when it is empty; BadInput when it has a path."""
        if not base_url:
            return ICICI
        parts = urlsplit(base_url)
        if parts.path.strip("/") or parts.query or parts.fragment:
            fix = f"give the origin only, e.g. {parts.scheme}://{parts.netloc}"
            raise BadInput(f"BREEZE_BASE_URL={base_url!r} names more than an origin", fix=fix)
        origin = f"{parts.scheme}://{parts.netloc}"
        return cls(
            f"{origin}/breezeapi/api/v1/", f"{origin}/api/v2/", f"{origin}/?feed=ticks", f"{origin}/?feed=orders",
            origin, f"{origin}/{MASTER}", f"{origin}/{LOGIN}", origin,
        )  # fmt: skip

    def login_page(self, api_key: str) -> str:
        """Return where the operator logs in; the key may hold signs that an address must not."""
        return f"{self.login}?api_key={quote(api_key, safe='')}"


ICICI = Addresses(
    "https://api.icicidirect.com/breezeapi/api/v1/",
    "https://breezeapi.icicidirect.com/api/v2/",
    "https://livestream.icicidirect.com",
    "https://livefeeds.icicidirect.com",
    "https://breezeapi.icicidirect.com",
    f"https://directlink.icicidirect.com/{MASTER}",
    f"https://api.icicidirect.com/{LOGIN}",
)
