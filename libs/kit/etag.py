"""ETag and If-Match over an object's version: two people, one decision."""

from libs.kit.problems import Problem


def etag(version: int) -> str:
    """The strong ETag of a version."""
    return f'"v{version}"'


def require_match(if_match: str | None, version: int) -> None:
    """Raise 412 `precondition_failed` when If-Match is given and names another version; without one nothing is asked."""
    if if_match is None or if_match.strip() == "*":
        return
    if etag(version) not in [tag.strip() for tag in if_match.split(",")]:
        detail = "The object has changed since you read it: read it again, then decide."
        raise Problem(412, "precondition_failed", detail, current_etag=etag(version))
