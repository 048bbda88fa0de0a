"""Figures for monitoring: counts and lags, never a name or a word."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """Everything that `/metrics` shows."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.heard = Counter("plaint_messages_heard", "Messages written down", registry=self.registry)
        self.refused = Counter("plaint_deliveries_refused", "Deliveries not taken", ["reason"], registry=self.registry)
        self.sent = Counter("plaint_letters_settled", "Letters by outcome", ["outcome"], registry=self.registry)
        self.failed = Counter("plaint_commands_failed", "Commands whose handler failed", registry=self.registry)
        self.batch = Histogram(
            "plaint_batch_commands", "Commands in one commit", buckets=(1, 2, 4, 8, 16, 32, 64), registry=self.registry
        )
        self.timer_lag = Gauge("plaint_timer_lag_seconds", "How late the last timer fired", registry=self.registry)
