"""What can go wrong between the client and a service, each with the status and code the client sees."""

from typing import ClassVar

from libs.kit.problems import Problem


class ProxyFailure(Exception):
    """An exchange that ended badly.

    `status` and `code` are what the client is told, if it can still be told.
    """

    status = 502
    code = "upstream_lost"
    detail = (
        "The {service} service closed the connection before its answer was complete; the effect is unknown."
    )
    headers: ClassVar[dict[str, str]] = {}

    def problem(self, service: str) -> Problem:
        return Problem(self.status, self.code, self.detail.format(service=service), headers=self.headers)


class UpstreamLost(ProxyFailure):
    """The service closed the connection before its answer was complete."""


class UpstreamInvalid(ProxyFailure):
    """The service answered with something that is not HTTP, or with endless headers."""

    code = "upstream_invalid"
    detail = "The {service} service sent an answer that could not be read; the effect is unknown."


class UpstreamTimeout(ProxyFailure):
    """The service took the request and went silent."""

    status = 504
    code = "upstream_timeout"
    detail = "The {service} service did not answer in time; the effect is unknown."


class ServiceUnavailable(ProxyFailure):
    """No connection to the service could be had; nothing was sent."""

    status = 503
    code = "service_unavailable"
    detail = "The {service} service cannot be reached; nothing was sent to it."
    headers: ClassVar[dict[str, str]] = {"Retry-After": "1"}


class ServiceBusy(ServiceUnavailable):
    """All connections to the service stayed in use for as long as a request may wait."""

    detail = "The {service} service is at its limit of simultaneous requests; nothing was sent to it."


class BodyTooLarge(ProxyFailure):
    """The request's body went over the limit of its route."""

    status = 413
    code = "body_too_large"
    detail = "The request body is larger than this operation accepts."


class ClientStalled(ProxyFailure):
    """The client stopped sending its body, or stopped reading the answer."""

    status = 408
    code = "request_timeout"
    detail = "The request body stopped arriving."


class ClientGone(ProxyFailure):
    """The client closed its connection: nobody is left to be told."""

    status = 499
    code = "client_gone"
    detail = "The client closed the connection."
