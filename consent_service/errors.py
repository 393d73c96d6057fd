"""Define the errors a caller sees: each has a code, an HTTP status and one sentence that says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class ServiceError(Exception):
    """Tell a caller what was wrong with a request.

    `extra` becomes members of the error object, `headers` of the answer.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        *,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        """Give the JSON body of the answer."""
        return {"error": {"code": self.code, "message": self.message, **self.extra}}


class MalformedJSON(ServiceError):
    """Tell that the body is not JSON text this service reads (RFC 8259)."""

    code, status = "malformed_json", 400


class Unauthenticated(ServiceError):
    """Tell that a valid API token or login is needed."""

    code, status = "unauthenticated", 401


class Forbidden(ServiceError):
    """Tell that who is asking may not have this."""

    code, status = "forbidden", 403


class Refused(ServiceError):
    """Tell with the gate's own code why a request of a page is refused (HTTP 403)."""

    status = 403

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, headers={"X-Consent-Reason": code})
        self.reason = code

    def document(self) -> dict[str, Any]:
        """Give the JSON body with the refusal's code."""
        return {"error": {"code": self.reason, "message": self.message}}


class NotFound(ServiceError):
    """Tell that there is no such thing."""

    code, status = "not_found", 404


class NotMerged(ServiceError):
    """Tell that a record is stored and not in the log yet; it will be within a minute, mostly within a second."""

    code, status = "not_merged", 404

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"Retry-After": "1"})


class PolicyOutdated(ServiceError):
    """Tell that a grant cites a policy version which was replaced; `config` is the present banner config."""

    code, status = "policy_outdated", 409

    def __init__(self, message: str, config: Mapping[str, Any]) -> None:
        super().__init__(message, extra={"config": config}, headers={"X-Consent-Reason": self.code})


class IdempotencyConflict(ServiceError):
    """Tell that the idempotency key was used within 24 hours for another body."""

    code, status = "idempotency_conflict", 409


class Conflict(ServiceError):
    """Tell that the thing exists already, or stands in the way."""

    code, status = "conflict", 409


class TooLarge(ServiceError):
    """Tell that the body is larger than this address takes."""

    code, status = "too_large", 413


class UnsupportedMediaType(ServiceError):
    """Tell that the body's content type is not one this address takes."""

    code, status = "unsupported_media_type", 415


class Invalid(ServiceError):
    """Tell what is wrong in a JSON document: one JSON pointer (RFC 6901) and sentence per problem."""

    code, status = "invalid", 422

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        listed = [{"pointer": pointer, "message": message} for pointer, message in problems]
        first = f"{problems[0][0] or '/'}: {problems[0][1]}" if problems else "the document is not valid"
        super().__init__(first, extra={"problems": listed})


class RateLimited(ServiceError):
    """Tell a caller to come back after `retry_after` seconds; nothing was stored."""

    code, status = "rate_limited", 429

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests; nothing was stored", headers={"Retry-After": str(max(1, retry_after))})


class Unavailable(ServiceError):
    """Tell that a store cannot be written or read right now; nothing was kept, so send it again."""

    code, status = "unavailable", 503

    def __init__(self, message: str, *, retry_after: int = 2) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})
