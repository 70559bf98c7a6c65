"""Numbers on calls to Stripe for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from trueup.accounts import calls
from trueup.accounts.calls import Lane


class CallsCollector(Collector):
    """What is left of the calls to Stripe where least is, and how many were made, over all accounts and processes."""

    @override
    def collect(self) -> Iterator[Metric]:
        """Read at each scrape. Counts begin anew when the database crashed."""
        found = calls.limits().data
        left = GaugeMetricFamily(
            "trueup_stripe_calls_left", "Calls a lane may make now, where fewest.", labels=["lane"]
        )
        made = CounterMetricFamily("trueup_stripe_calls_made", "Calls to Stripe that got their turn.", labels=["lane"])
        for lane in Lane:
            left.add_metric([lane.value], min((one.left[lane] for one in found), default=0))
            made.add_metric([lane.value], sum(one.calls[lane] for one in found if not one.endpoint))
        share = GaugeMetricFamily(
            "trueup_stripe_limit_share",
            "The part of Stripe's limit that is used, where least: below 1 after a 429.",
            value=min((one.now / one.per_second for one in found), default=1.0),
        )
        held = [one.throttled_until for one in found if one.throttled_until is not None]
        until = GaugeMetricFamily(
            "trueup_stripe_throttled_until_seconds",
            "The unix time until which somebody may not call Stripe; 0 where nobody is held up.",
            value=max(held).timestamp() if held else 0.0,
        )
        throttled = CounterMetricFamily(
            "trueup_stripe_throttled",
            "Answers of 429 that spoke of a limit.",
            value=sum(one.throttled for one in found),
        )
        yield from (left, made, share, until, throttled)
