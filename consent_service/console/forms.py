"""Read the console's forms."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, DateField, EmailField, Form, PasswordField, StringField, ValidationError
from wtforms.validators import DataRequired, EqualTo, Length, Optional

from consent_service.consent.hold import MAX_REASON
from consent_service.console.passwords import LONGEST, SHORTEST


class LoginForm(Form):
    """Ask for address and password."""

    email = EmailField(
        "E-mail address",
        [DataRequired("Enter your e-mail address."), Length(max=254)],
        render_kw={"autocomplete": "username", "autofocus": True},
    )
    password = PasswordField(
        "Password",
        [DataRequired("Enter your password."), Length(max=LONGEST)],
        render_kw={"autocomplete": "current-password"},
    )


class PasswordForm(Form):
    """Ask for a new password, twice; its length is all that is asked of it (NIST SP 800-63B, 3.1.1)."""

    password = PasswordField(
        "New password",
        [
            DataRequired("Choose a password."),
            Length(SHORTEST, LONGEST, f"Use {SHORTEST} characters or more; a few words make a good one."),
        ],
        render_kw={"autocomplete": "new-password", "minlength": SHORTEST, "autofocus": True},
    )
    repeated = PasswordField(
        "The same again",
        [EqualTo("password", "The two are not the same.")],
        render_kw={"autocomplete": "new-password", "minlength": SHORTEST},
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._email = email

    def validate_password(self, field: PasswordField) -> None:
        """Refuse the address itself as its password."""
        if (field.data or "").strip().lower() in (self._email, self._email.partition("@")[0]):
            raise ValidationError("Your address is not a secret; choose something else.")


class HoldForm(Form):
    """Ask why data is held, and until when."""

    reason = StringField("Reason", [DataRequired("Say why."), Length(max=MAX_REASON)])
    until = DateField("Last day (UTC), empty for no end", [Optional()])
    is_wish = BooleanField("The visitor asked for it: it ends when they ask for erasure, and no erasure waits")
