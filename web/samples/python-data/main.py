"""Rolls two dice many times and counts what comes up."""

import numpy as np
import pandas as pd

generator = np.random.default_rng(seed=7)
rolls = pd.DataFrame(generator.integers(1, 7, size=(10_000, 2)), columns=["first", "second"])
rolls["sum"] = rolls["first"] + rolls["second"]

counts = rolls["sum"].value_counts().sort_index()
print(counts.to_string())
print(f"\nmean {rolls['sum'].mean():.3f}, standard deviation {rolls['sum'].std():.3f}")
