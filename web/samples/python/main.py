"""Prints the first prime numbers, one at a time."""

import sys
import time


def primes():
    found = []
    candidate = 2
    while True:
        if all(candidate % prime for prime in found if prime * prime <= candidate):
            found.append(candidate)
            yield candidate
        candidate += 1


for count, prime in enumerate(primes(), start=1):
    print(f"{count:2}. {prime}", flush=True)
    time.sleep(0.05)
    if count == 15:
        break

print("that is enough", file=sys.stderr)
