"""Prometheus metrics every process exposes at `/metrics`."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("encours_requests_total", "Requests answered", ["service", "method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "encours_request_seconds", "Time to answer", ["service", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)  # fmt: skip
JOBS = Counter("encours_jobs_total", "Jobs run", ["service", "job", "outcome"])
JOB_SECONDS = Histogram("encours_job_seconds", "Time a job took", ["service", "job"])
FEED_SUBJECTS = Counter("encours_feed_subjects_total", "Subjects applied", ["service", "producer", "type"])
FEED_PARKED = Counter(
    "encours_feed_parked_total", "Subjects parked after five failures", ["producer", "type"]
)
DAYS = Counter("encours_day_steps_total", "Steps of tenants' days worked through", ["service", "step"])
