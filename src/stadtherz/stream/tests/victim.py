"""A process that appends and consumes until it is killed; it prints what was acknowledged.

Its consumer copies every reading of the source to the target, which shows lost and repeated
effects: `python -m stadtherz.stream.tests.victim SOURCE TARGET FIRST`.
"""

import sys
from itertools import count

import django


def main(source: int, target: int, first: int) -> None:
    django.setup()
    from stadtherz.store.public import submit
    from stadtherz.stream.public import register, start_dispatcher
    from stadtherz.stream.tests.cast import reading
    from stadtherz.stream.tests.copying import copying

    register(copying(source, target))
    start_dispatcher()
    for start in count(first, 8):
        numbers = range(start, start + 8)
        futures = [submit([reading(source, n, key=str(n))]) for n in numbers]
        for number, future in zip(numbers, futures, strict=True):
            future.result()
            print(number, flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
