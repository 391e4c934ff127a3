"""What a city's sensors would measure at an instant: pure functions of a seed and the time.

No history is kept, so that any instant of any device can be asked for, in any order, with the same
answer. Local time is UTC plus one hour, as in a German winter.
"""

import math

from stadtherz.base.time import DAY, HOUR, Micros

_MASK = (1 << 64) - 1
_RAIN_WINDOW = 6 * HOUR
_REMEMBERED = 10  # windows of rain a brook still carries
_RECESSION = 9 * HOUR
_RISE = HOUR

# Bicycles in an hour at a busy place, from midnight on.
_BY_HOUR = (
    *(4, 2, 1, 1, 2, 12, 45, 120, 150, 80, 60, 70),
    *(85, 80, 75, 90, 130, 160, 120, 75, 45, 30, 18, 9),
)


def noise(seed: int, step: int) -> float:
    """A number from -1 to 1 that looks random and depends on nothing else (splitmix64)."""
    x = (seed * 0x9E3779B97F4A7C15 + step * 0xD1B54A32D192ED03) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return (x ^ (x >> 31)) / (1 << 63) - 1


def smooth(seed: int, at: Micros, period: Micros) -> float:
    """Noise that wanders from -1 to 1 and takes about `period` for it."""
    step, rest = divmod(at, period)
    share = rest / period
    share = share * share * (3 - 2 * share)
    return noise(seed, step) * (1 - share) + noise(seed, step + 1) * share


def hour_of_day(at: Micros) -> float:
    return ((at + HOUR) % DAY) / HOUR


def _day_of_year(at: Micros) -> float:
    return at / DAY % 365.2425


def temperature(city: int, place: int, at: Micros) -> float:
    """Air, in degrees Celsius: the season, the weather of the city, the hour, and the place."""
    season = 9.5 - 9.5 * math.cos(2 * math.pi * (_day_of_year(at) - 20) / 365.2425)
    weather = 4 * smooth(city, at, 3 * DAY)
    daily = (2.5 + season / 6) * math.cos(2 * math.pi * (hour_of_day(at) - 15) / 24)
    return season + weather + daily + 0.8 * noise(place, 0) + 0.3 * smooth(place, at, HOUR)


def humidity(city: int, place: int, at: Micros) -> float:
    """Relative, in percent: damp at night and in rain."""
    daily = -14 * math.cos(2 * math.pi * (hour_of_day(at) - 15) / 24)
    wet = 15 if rain(city, at) > 0 else 0
    return min(100.0, max(20.0, 72 + daily + wet + 8 * smooth(place + 1, at, 6 * HOUR)))


def _shower(city: int, window: int) -> tuple[Micros, Micros, float] | None:
    """The rain that begins in a window of six hours: from, for how long, millimetres an hour."""
    if noise(city + 11, window) < 0.6:
        return None
    start = window * _RAIN_WINDOW + int((noise(city + 12, window) + 1) / 2 * _RAIN_WINDOW)
    length = int((0.5 + 2 * (noise(city + 13, window) + 1)) * HOUR)
    return start, length, 1 + 7 * (noise(city + 14, window) + 1) ** 2 / 2


def rain(city: int, at: Micros) -> float:
    """Millimetres an hour, the same in the whole city."""
    window = at // _RAIN_WINDOW
    showers = (_shower(city, each) for each in (window, window - 1))
    return sum(
        strength
        for shower in showers
        if shower
        for start, length, strength in [shower]
        if start <= at < start + length
    )


def level(city: int, place: int, at: Micros) -> float:
    """A brook's height in centimetres: rises in an hour after rain, falls within a day."""
    height = 45 + 15 * noise(place, 1) + 2 * smooth(place, at, 12 * HOUR)
    window = at // _RAIN_WINDOW
    for shower in (_shower(city, each) for each in range(window - _REMEMBERED, window + 1)):
        if shower and (since := at - shower[0]) > 0:
            fallen = shower[2] * min(since, shower[1]) / HOUR
            rising = 1 - math.exp(-since / _RISE)
            height += 2.2 * fallen * rising * math.exp(-max(0, since - shower[1]) / _RECESSION)
    return height


def bicycles(city: int, place: int, at: Micros, interval: Micros) -> int:
    """How many passed in the interval before: by hour, fewer at week-ends and in the rain."""
    hour = int(hour_of_day(at))
    weekend = ((at + HOUR) // DAY + 3) % 7 >= 5  # 1970 began on a Thursday
    share = (0.5 if weekend else 1.0) * (0.4 if rain(city, at) > 1 else 1.0)
    expected = _BY_HOUR[hour] * share * (1 + 0.6 * noise(place, 2)) * interval / HOUR
    spread = math.sqrt(expected) * noise(place + 3, at // max(interval, 1))
    return max(0, round(expected + spread))


def fine_dust(city: int, place: int, at: Micros) -> float:
    """PM10 in micrograms a cubic metre: more in rush hours and calm days, washed out by rain."""
    hour = hour_of_day(at)
    rush = sum(math.exp(-(((hour - peak) / 1.5) ** 2)) for peak in (8, 18))
    calm = 16 + 9 * smooth(city + 21, at, 2 * DAY) + 2 * smooth(place + 4, at, HOUR)
    return max(1.0, (calm + 8 * rush) * (0.5 if rain(city, at) > 0 else 1.0))


def battery(place: int, at: Micros) -> float:
    """Percent: a battery lasts for about three years and is then changed."""
    return 100 - (at / DAY + 1000 * (noise(place, 5) + 1)) % 1000 / 11
