"""Rules that staff make without code: from a reading or a tick of the clock to a change of state.

    reading ─▶ measures (what figure is judged) ─▶ judge (pure: which step holds) ─▶ states.change
    clock   ─▶ the same, with the last figure

`known` holds the rules as plain values, by datastream; `engine` is the one locked path; `preview` plays
history through the same judge. How a rule decides: docs/explain/alerts.md.
"""
