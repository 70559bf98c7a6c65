"""Lives that are in the middle of something at the end: what somebody sees who looks then."""

from __future__ import annotations

from trueup.sandbox.scenarios.life import DAY, FAILING_CARD, HOUR, Life, Lived


def in_trial(me: Life) -> Lived:
    """Has come within the last two weeks and is trying it out, some with a card already."""
    yield me.before_end(HOUR, 13 * DAY)
    me.sign_up()
    me.subscribe(trial=True, missing=me.rng.choice(("cancel", "cancel", "pause")))
    if me.rng.random() < 0.6:
        yield me.after(hours=0.1)
        me.card()


def renews_now(me: Life) -> Lived:
    """Has paid for months, and pays again within hours of the end."""
    yield me.months_before(me.until + me.rng.randrange(-2 * HOUR, 5 * HOUR))
    me.sign_up()
    me.card()
    me.subscribe()


def in_dunning(me: Life) -> Lived:
    """Has paid for months; the card was declined in the last days, and is tried again."""
    renewal = me.before_end(3 * HOUR, 10 * DAY)
    yield me.months_before(renewal)
    me.sign_up()
    me.card()
    me.subscribe()
    yield max(me.now, renewal - me.rng.randrange(DAY, 20 * DAY))
    me.card(FAILING_CARD)


def leaving(me: Life) -> Lived:
    """Has said in the last days that it leaves at the end of its period."""
    yield me.months_before(me.before_end(0, 20 * DAY))
    me.sign_up()
    me.card()
    me.subscribe()
    yield me.before_end(DAY, 8 * DAY)
    if me.calm():
        me.leave()
