"""How a provider of news says no, and what each no means to the desk.

    Unavailable
      └─ ProviderError          the provider did not give what was asked
           ├─ Transient         no connection, a time-out, 5xx: asking again soon may help
           ├─ RateLimited       429, or our own ration: not before ``retry_after`` seconds
           ├─ KeyRefused        401, 403: somebody must mend the key
           ├─ Refused           any other no: the same question gets the same answer
           ├─ Unreadable        an answer that is no JSON, of another shape, or too large
           ├─ OutOfReach        the provider does not go back that far; nothing was asked
           └─ Barred            its circuit is open, or it asked us to wait; nothing was asked

Only ``transient`` errors are worth a second attempt; only those that are a ``failure`` count against the provider.
"""

from __future__ import annotations

from typing import ClassVar

from sensequant.lib.errors import Unavailable


class ProviderError(Unavailable):
    """A provider did not give what was asked; ``provider`` is its name."""

    code = "provider_failed"
    transient: ClassVar[bool] = False
    failure: ClassVar[bool] = True

    def __init__(self, provider: str, message: str, *, fix: str = "", retry_after: float = 0.0) -> None:
        """Say which provider it was, what happened, and how many seconds it asks to wait."""
        super().__init__(f"{provider}: {message}", fix=fix, provider=provider)
        self.provider, self.retry_after = provider, retry_after

    @property
    def kind(self) -> str:
        """Return the kind of error in one word."""
        return type(self).__name__


class Transient(ProviderError):
    """Nothing readable came back this time."""

    code = "provider_unreachable"
    transient = True


class RateLimited(ProviderError):
    """The provider says we ask too often."""

    code = "rate_limited"


class Rationed(RateLimited):
    """Our own ration is spent; nothing was asked, and nobody is to blame."""

    code = "rationed"
    failure = False


class KeyRefused(ProviderError):
    """The provider does not take our key."""

    code = "key_refused"


class Refused(ProviderError):
    """The provider does not answer this question."""

    code = "provider_refused"


class Unreadable(ProviderError):
    """What came back is not what the provider promises."""

    code = "provider_unreadable"


class OutOfReach(ProviderError):
    """The question goes further back than the provider does."""

    code = "out_of_reach"
    failure = False


class Barred(ProviderError):
    """We do not ask for now: its circuit is open, or it asked us to wait."""

    code = "provider_barred"
    failure = False
