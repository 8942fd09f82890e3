"""E-mail over SMTP with STARTTLS where the server offers it; the messages of an episode are one thread."""

from __future__ import annotations

import datetime as dt
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from monitoring.adapters.words import Message, NotSent

SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Mail:
    """A server, an account, a sender and its receivers."""

    host: str
    port: int
    sender: str
    receivers: Sequence[str]
    user: str = ""
    password: str = ""

    def send(self, message: Message, *, at: dt.datetime) -> str:
        """Send ``message`` and return its Message-ID; NotSent when the server did not take it."""
        letter = self.letter(message, at)
        try:
            with smtplib.SMTP(self.host, self.port, timeout=SECONDS) as server:
                self._greet(server)
                refused = server.send_message(letter)
        except smtplib.SMTPAuthenticationError as error:
            raise NotSent(f"the server refused the account ({error.smtp_code})", permanent=True) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise NotSent("every receiver was refused", permanent=all(code >= 500 for code in codes)) from None
        except smtplib.SMTPResponseException as error:
            raise NotSent(f"the server said {error.smtp_code}", permanent=error.smtp_code >= 500) from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(f"no connection to {self.host}:{self.port} ({type(error).__name__})") from None
        if refused:
            raise NotSent(f"refused: {', '.join(sorted(refused))}")
        return str(letter["Message-ID"])

    def _greet(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif self.user:
            raise NotSent("the server offers no STARTTLS: a password would be read on the way", permanent=True)
        if self.user:
            server.login(self.user, self.password)

    def letter(self, message: Message, at: dt.datetime) -> EmailMessage:
        """Return the message as a letter."""
        letter = EmailMessage()
        letter["Subject"] = " ".join(f"[{message.severity}] {message.title}".split())[:200]
        letter["From"], letter["To"] = self.sender, ", ".join(self.receivers)
        letter["Date"] = format_datetime(at)
        letter["Message-ID"] = self._id(message.key)
        if message.first_key and message.first_key != message.key:
            letter["In-Reply-To"] = letter["References"] = self._id(message.first_key)
        letter["X-SenseQuant-Key"] = message.key
        letter.set_content(f"{message.text}\n\n{_lines(message)}")
        return letter

    def _id(self, key: str) -> str:
        domain = self.sender.rpartition("@")[2] or "sensequant.invalid"
        return f"<{key}@{domain}>"


def _lines(message: Message) -> str:
    skip = {"message", "context"}
    told = {**{k: v for k, v in message.body.items() if k not in skip}, **(message.body.get("context") or {})}
    return "\n".join(f"{key}: {value}" for key, value in told.items())
