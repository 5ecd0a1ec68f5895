"""One mail to a mail server, over TLS unless the configuration says otherwise; no error names who it is for."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from cohortfinder.errors import ConfigurationError, ServerError
from cohortfinder.notify_settings import Mail

SECONDS = 20.0


def send(mail: Mail, subject: str, text: str) -> None:
    """Send a text to everybody it is for.

    Raises ConfigurationError when the password or the authority cannot be read, ServerError when it was not taken.
    """
    name = f"the mail server {mail.host}:{mail.port}"
    password = mail.password.read() if mail.password else None
    try:
        with _connected(mail) as server:
            if mail.user is not None and password is not None:
                server.login(mail.user, password)
            refused = server.send_message(_message(mail, subject, text), mail.sender, mail.to)
    except ssl.SSLError as error:
        raise ServerError(f"{name} shows no certificate that is trusted ({error.reason}); see ca_bundle") from None
    except smtplib.SMTPNotSupportedError:
        raise ServerError(f"{name} offers no TLS or no login; see smtp_tls and smtp_user under [nightly]") from None
    except smtplib.SMTPAuthenticationError as error:
        raise ServerError(f"{name} refuses smtp_user or its password ({error.smtp_code})") from None
    except smtplib.SMTPRecipientsRefused:
        raise ServerError(f"{name} takes no mail for any of mail_to; check the addresses") from None
    except smtplib.SMTPResponseException as error:
        raise ServerError(f"{name} does not take the mail ({error.smtp_code}); ask who runs it") from None
    except (OSError, smtplib.SMTPException) as error:
        raise ServerError(f"{name} cannot be reached ({type(error).__name__}); check smtp under [nightly]") from None
    if refused:
        raise ServerError(f"{name} takes no mail for {len(refused)} of {len(mail.to)} addresses of mail_to")


def _connected(mail: Mail) -> smtplib.SMTP:
    context = _context(mail)
    if mail.tls == "tls":
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=SECONDS, context=context)
    server = smtplib.SMTP(mail.host, mail.port, timeout=SECONDS)
    try:
        if mail.tls == "starttls":
            server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _context(mail: Mail) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if mail.ca_bundle is not None:
        try:
            context.load_verify_locations(cafile=mail.ca_bundle)
        except OSError:
            raise ConfigurationError(f"{mail.ca_bundle} holds no certificates in PEM; see ca_bundle") from None
    return context


def _message(mail: Mail, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, mail.sender, ", ".join(mail.to)
    message["Date"], message["Message-ID"] = formatdate(localtime=True), make_msgid(domain="cohortfinder.invalid")
    # an answer of somebody's holiday has no reader
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message
